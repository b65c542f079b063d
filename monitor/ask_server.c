/* ask_server - peg-monitor answers those who may not look at the queues themselves */
#include "monitor/ask_server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "monitor/ask_client.h"

enum {
    CLIENTS_MAX = 128,
    DETAILS = SURVEY_DETAILS + 1,
    ACCEPT_PAUSE_MS = 1000 /* after a failure, such as too many open files */
};

enum { AT_LISTEN, AT_WAKE, AT_CLIENTS }; /* places in what is polled */

struct ask_server {
    struct ask_source source;
    int listen_fd;
    int wake_fd; /* an eventfd: a look has ended, or all is to */
    atomic_bool ends;
    pthread_t thread;
    bool is_started;
    struct ask_walker walkers[DETAILS]; /* by detail */
    size_t walker_count;                /* that were started */
    /* The thread's own: */
    struct ask_client clients[CLIENTS_MAX];
    size_t client_count;
    int64_t accept_after_ms;
};

/* Take those who wait to be, as long as there is room. */
static void accept_clients(struct ask_server *server, int64_t now_ms)
{
    while (server->client_count < CLIENTS_MAX) {
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0)
            ask_client_open(&server->clients[server->client_count++], fd, now_ms);
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR && errno != ECONNABORTED) {
            server->accept_after_ms = now_ms + ACCEPT_PAUSE_MS;
            return;
        }
    }
}

/* Give the answer of a look to all who wait for it or one before it. */
static void give_answer(struct ask_server *server, enum survey_detail detail, uint64_t look,
                        const char *answer, int64_t now_ms)
{
    for (size_t i = 0; i < server->client_count; i++) {
        struct ask_client *client = &server->clients[i];

        if (client->state == ASK_WAITS && client->detail == detail && client->look <= look)
            ask_client_answer(client, answer != NULL ? strdup(answer) : NULL, now_ms);
    }
}

static void take_answers(struct ask_server *server, int64_t now_ms)
{
    uint64_t count;
    ssize_t got = read(server->wake_fd, &count, sizeof count);

    (void)got; /* the walkers know whether there is something */
    for (int detail = 0; detail < DETAILS; detail++) {
        char *answer = NULL;
        uint64_t look = ask_walker_take(&server->walkers[detail], &answer);

        if (look > 0)
            give_answer(server, (enum survey_detail)detail, look, answer, now_ms);
        free(answer);
    }
}

static void go_on(struct ask_server *server, struct ask_client *client, short events,
                  int64_t now_ms)
{
    bool had_asked = client->state != ASK_READS;

    if (events != 0)
        ask_client_go_on(client, events, now_ms);
    if (!had_asked && client->state == ASK_WAITS)
        client->look = ask_walker_ask(&server->walkers[client->detail]);
    ask_client_check_time(client, now_ms);
}

static void remove_gone(struct ask_server *server)
{
    size_t kept = 0;

    for (size_t i = 0; i < server->client_count; i++)
        if (server->clients[i].state == ASK_GONE)
            ask_client_close(&server->clients[i]);
        else
            server->clients[kept++] = server->clients[i];
    server->client_count = kept;
}

/* Fill in what is waited for. Returns until when, as poll() wants it. */
static int prepare(const struct ask_server *server, struct pollfd polled[], int64_t now_ms)
{
    bool accepts = server->client_count < CLIENTS_MAX && now_ms >= server->accept_after_ms;
    int64_t until_ms = now_ms < server->accept_after_ms ? server->accept_after_ms : INT64_MAX;

    polled[AT_LISTEN] = (struct pollfd){accepts ? server->listen_fd : -1, POLLIN, 0};
    polled[AT_WAKE] = (struct pollfd){server->wake_fd, POLLIN, 0};
    for (size_t i = 0; i < server->client_count; i++) {
        const struct ask_client *client = &server->clients[i];

        polled[AT_CLIENTS + i] = (struct pollfd){client->fd, ask_client_events(client), 0};
        if (client->state != ASK_WAITS && client->limit_ms < until_ms)
            until_ms = client->limit_ms;
    }
    return until_ms == INT64_MAX ? -1 : until_ms <= now_ms ? 0 : (int)(until_ms - now_ms);
}

static void *serve_thread(void *arg)
{
    struct ask_server *server = arg;
    struct pollfd polled[AT_CLIENTS + CLIENTS_MAX];

    while (!atomic_load(&server->ends)) {
        size_t count = server->client_count; /* of which poll() tells */
        int timeout_ms = prepare(server, polled, clock_boot_ms());
        int64_t now_ms;

        if (poll(polled, AT_CLIENTS + count, timeout_ms) < 0)
            continue; /* EINTR, or no memory for a moment */
        now_ms = clock_boot_ms();
        for (size_t i = 0; i < count; i++)
            go_on(server, &server->clients[i], polled[AT_CLIENTS + i].revents, now_ms);
        if (polled[AT_WAKE].revents != 0)
            take_answers(server, now_ms);
        remove_gone(server);
        if (polled[AT_LISTEN].revents != 0)
            accept_clients(server, now_ms);
    }
    return NULL;
}

static bool start_threads(struct ask_server *server)
{
    int error;

    for (; server->walker_count < DETAILS; server->walker_count++)
        if (!ask_walker_start(&server->walkers[server->walker_count], &server->source,
                              (enum survey_detail)server->walker_count, server->wake_fd))
            return false;
    error = pthread_create(&server->thread, NULL, serve_thread, server);
    errno = error;
    return server->is_started = error == 0;
}

struct ask_server *ask_server_start(int listen_fd, const struct ask_source *source)
{
    struct ask_server *server = calloc(1, sizeof *server);
    int error;

    if (server == NULL) {
        close(listen_fd);
        errno = ENOMEM;
        return NULL;
    }
    server->source = *source;
    server->listen_fd = listen_fd;
    atomic_init(&server->ends, false);
    server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->wake_fd >= 0 && start_threads(server))
        return server;
    error = errno;
    ask_server_stop(&server);
    errno = error;
    return NULL;
}

void ask_server_stop(struct ask_server **server_ptr)
{
    struct ask_server *server = *server_ptr;
    const uint64_t one = 1;
    ssize_t written;

    *server_ptr = NULL;
    if (server == NULL)
        return;
    atomic_store(&server->ends, true);
    if (server->is_started) {
        written = write(server->wake_fd, &one, sizeof one);
        (void)written; /* it fails where it would only repeat what stands there */
        pthread_join(server->thread, NULL);
    }
    for (size_t n = 0; n < server->walker_count; n++)
        ask_walker_stop(&server->walkers[n]);
    for (size_t i = 0; i < server->client_count; i++)
        ask_client_close(&server->clients[i]);
    if (server->wake_fd >= 0)
        close(server->wake_fd);
    close(server->listen_fd);
    free(server);
}
