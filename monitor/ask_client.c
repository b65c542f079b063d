/* ask_client - one who asks peg-monitor: a line in, an answer out, and neither for long */
#include "monitor/ask_client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char wrong_request[] = "{\"error\": \"ask for counts or details, in one line\"}";
static const char no_answer[] = "{\"error\": \"the queues could not be looked at: out of memory\"}";

void ask_client_open(struct ask_client *client, int fd, int64_t now_ms)
{
    *client = (struct ask_client){.fd = fd, .limit_ms = now_ms + ASK_READ_LIMIT_MS};
}

short ask_client_events(const struct ask_client *client)
{
    /* One that waits may have sent its end of file long ago; what poll() always tells is enough. */
    return client->state == ASK_READS ? POLLIN : client->state == ASK_WRITES ? POLLOUT : 0;
}

static void write_on(struct ask_client *client)
{
    while (client->sent < client->answer_len) {
        ssize_t put = send(client->fd, client->answer + client->sent,
                           client->answer_len - client->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0 && errno == EAGAIN)
            return;
        if (put < 0)
            break;
        client->sent += (size_t)put;
    }
    client->state = ASK_GONE;
}

void ask_client_answer(struct ask_client *client, char *answer, int64_t now_ms)
{
    client->answer = answer != NULL ? answer : strdup(no_answer);
    client->answer_len = client->answer != NULL ? strlen(client->answer) : 0;
    client->limit_ms = now_ms + ASK_WRITE_LIMIT_MS;
    client->state = ASK_WRITES;
    write_on(client);
}

/* What the line asks for; false: nothing that there is. */
static bool understand(const char *line, size_t len, enum survey_detail *detail_r)
{
    static const char *const words[] = {[SURVEY_COUNTS] = "counts", [SURVEY_DETAILS] = "details"};

    for (int detail = 0; detail <= SURVEY_DETAILS; detail++)
        if (len == strlen(words[detail]) && memcmp(line, words[detail], len) == 0) {
            *detail_r = (enum survey_detail)detail;
            return true;
        }
    return false;
}

static void read_on(struct ask_client *client, int64_t now_ms)
{
    size_t room = sizeof client->request - client->request_len;
    ssize_t got = recv(client->fd, client->request + client->request_len, room, MSG_DONTWAIT);
    char *newline;

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got < 0) {
        client->state = ASK_GONE;
        return;
    }
    client->request_len += (size_t)got;
    newline = memchr(client->request, '\n', client->request_len);
    if (newline != NULL &&
        understand(client->request, (size_t)(newline - client->request), &client->detail))
        client->state = ASK_WAITS;
    else if (newline != NULL || got == 0 || client->request_len == sizeof client->request)
        ask_client_answer(client, strdup(wrong_request), now_ms);
}

void ask_client_go_on(struct ask_client *client, short events, int64_t now_ms)
{
    if (client->state == ASK_READS && (events & POLLIN) != 0)
        read_on(client, now_ms);
    else if (client->state == ASK_WRITES && (events & POLLOUT) != 0)
        write_on(client);
    else if ((events & (POLLHUP | POLLERR | POLLNVAL)) != 0)
        client->state = ASK_GONE;
}

void ask_client_check_time(struct ask_client *client, int64_t now_ms)
{
    if (client->state != ASK_WAITS && now_ms >= client->limit_ms)
        client->state = ASK_GONE;
}

void ask_client_close(struct ask_client *client)
{
    close(client->fd);
    free(client->answer);
}
