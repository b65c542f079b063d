/*
 * smtp_sink - the SMTP server behind a gateway: says when each message came, and from where
 *
 * usage: smtp_sink PORT
 *
 * For each message a line on stdout, `TAG SECONDS INSTANCE RECIPIENTS`: its X-Bench header; when
 * it was answered, by the monotonic clock, which all processes share; the Postfix that sent it, as
 * its Received line names it; for how many recipients it came.
 *
 * Commands on stdin, a line each, for a destination that is no ordinary one:
 *   delay MS       answer each message so much later
 *   refuse TEXT    answer 451 to recipients with this in their address; without TEXT to none
 */
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>

#include "tests/bench/bench.h"

enum { NAME_SIZE = 64, BACKLOG = 1024 };

struct sink {
    struct event_base *base;
    struct timeval delay;
    bool is_late; /* whether there is a delay */
    char refused[NAME_SIZE];
};

enum part { COMMANDS, HEADERS, BODY };

struct session {
    struct sink *sink;
    struct bufferevent *bev;
    struct event *timer; /* until the answer to a message */
    enum part part;
    bool is_answering; /* the timer runs */
    unsigned recipients;
    char tag[NAME_SIZE];
    char instance[NAME_SIZE];
};

static void end_session(struct session *session)
{
    event_free(session->timer);
    bufferevent_free(session->bev);
    free(session);
}

static void say(struct session *session, const char *reply)
{
    evbuffer_add_printf(bufferevent_get_output(session->bev), "%s\r\n", reply);
}

/* Copy a word, which ends at a blank, a closing parenthesis or the end. */
static void copy_word(char word_r[NAME_SIZE], const char *text)
{
    size_t len = strcspn(text, " \t\r\n)");

    if (len >= NAME_SIZE)
        len = NAME_SIZE - 1;
    memcpy(word_r, text, len);
    word_r[len] = '\0';
}

/* What was said has gone out. */
static void hang_up(struct bufferevent *bev, void *arg)
{
    (void)bev;
    end_session(arg);
}

static void take_recipient(struct session *session, const char *line)
{
    const char *refused = session->sink->refused;

    if (*refused != '\0' && strstr(line, refused) != NULL) {
        say(session, "451 4.3.0 not now");
        return;
    }
    session->recipients++;
    say(session, "250 2.1.5 ok");
}

static void take_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        end_session(arg);
}

static void take_command(struct session *session, const char *line)
{
    if (strncasecmp(line, "EHLO ", 5) == 0) {
        say(session, "250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
                     "250-DSN\r\n250-SIZE\r\n250 ENHANCEDSTATUSCODES");
    } else if (strncasecmp(line, "RCPT ", 5) == 0) {
        take_recipient(session, line);
    } else if (strncasecmp(line, "DATA", 4) == 0 && session->recipients > 0) {
        session->part = HEADERS;
        *session->tag = *session->instance = '\0';
        say(session, "354 go on");
    } else if (strncasecmp(line, "DATA", 4) == 0) {
        say(session, "554 5.5.1 no recipients");
    } else if (strncasecmp(line, "QUIT", 4) == 0) {
        say(session, "221 2.0.0 bye");
        bufferevent_setcb(session->bev, NULL, hang_up, take_event, session);
    } else {
        if (strncasecmp(line, "MAIL ", 5) == 0 || strncasecmp(line, "RSET", 4) == 0)
            session->recipients = 0;
        say(session, "250 2.0.0 ok");
    }
}

static void take_header(struct session *session, const char *line)
{
    const char *name = strstr(line, " (postfix");

    if (*line == '\0')
        session->part = BODY;
    else if (strncasecmp(line, "X-Bench: ", 9) == 0)
        copy_word(session->tag, line + 9);
    else if (*session->instance == '\0' && name != NULL) /* the first is the last that sent it */
        copy_word(session->instance, name + 2);
}

static void answer_message(struct session *session)
{
    session->is_answering = false;
    say(session, "250 2.0.0 taken");
    printf("%s %.6f %s %u\n", *session->tag != '\0' ? session->tag : "-", seconds_now(),
           *session->instance != '\0' ? session->instance : "-", session->recipients);
    fflush(stdout);
    session->recipients = 0;
}

static void end_message(struct session *session)
{
    session->part = COMMANDS;
    session->is_answering = true;
    if (session->sink->is_late)
        event_add(session->timer, &session->sink->delay);
    else
        answer_message(session);
}

/* Drop what has come of a body; returns whether its end was there. */
static bool skip_body(struct evbuffer *input)
{
    static const char end[] = "\r\n.\r\n";
    struct evbuffer_ptr found = evbuffer_search(input, end, sizeof end - 1, NULL);
    size_t len = evbuffer_get_length(input);

    if (found.pos >= 0)
        evbuffer_drain(input, (size_t)found.pos + sizeof end - 1);
    else if (len >= sizeof end)
        evbuffer_drain(input,
                       len - (sizeof end - 2)); /* the rest may be the beginning of the end */
    return found.pos >= 0;
}

static void take_input(struct bufferevent *bev, void *arg)
{
    struct session *session = arg;
    struct evbuffer *input = bufferevent_get_input(bev);

    while (!session->is_answering) {
        char *line;

        if (session->part == BODY) {
            if (!skip_body(input))
                return;
            end_message(session);
            continue;
        }
        line = evbuffer_readln(input, NULL, EVBUFFER_EOL_CRLF);
        if (line == NULL)
            return;
        if (session->part == HEADERS)
            take_header(session, line);
        else
            take_command(session, line);
        free(line);
    }
}

static void answer_late(evutil_socket_t fd, short what, void *arg)
{
    struct session *session = arg;

    (void)fd;
    (void)what;
    answer_message(session);
    take_input(session->bev, session);
}

static void accept_session(struct evconnlistener *listener, evutil_socket_t fd,
                           struct sockaddr *address, int len, void *arg)
{
    struct session *session = calloc(1, sizeof *session);
    int on = 1;

    (void)listener;
    (void)address;
    (void)len;
    if (session == NULL)
        give_up("no memory");
    session->sink = arg;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    session->bev = bufferevent_socket_new(session->sink->base, fd, BEV_OPT_CLOSE_ON_FREE);
    session->timer = evtimer_new(session->sink->base, answer_late, session);
    if (session->bev == NULL || session->timer == NULL)
        give_up("no memory");
    bufferevent_setcb(session->bev, take_input, NULL, take_event, session);
    bufferevent_enable(session->bev, EV_READ | EV_WRITE);
    say(session, "220 sink.example ESMTP");
}

static void take_order(evutil_socket_t fd, short what, void *arg)
{
    struct sink *sink = arg;
    char line[256], text[NAME_SIZE] = "";
    unsigned ms;

    (void)fd;
    (void)what;
    if (fgets(line, sizeof line, stdin) == NULL) { /* whoever started it is gone */
        event_base_loopbreak(sink->base);
    } else if (sscanf(line, "delay %u", &ms) == 1) {
        sink->delay = (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
        sink->is_late = ms > 0;
    } else if (sscanf(line, "refuse %63s", text) == 1 || strcmp(line, "refuse\n") == 0) {
        memcpy(sink->refused, text, sizeof text);
    } else {
        give_up("no such order: %s", line);
    }
}

int main(int argc, char **argv)
{
    struct sink sink = {.base = event_base_new()};
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct event *orders;

    if (argc != 2)
        give_up("usage: smtp_sink PORT");
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdin, NULL, _IONBF, 0); /* what is buffered would wake nobody */
    address.sin_port = htons((uint16_t)number_of(argv[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (sink.base == NULL ||
        evconnlistener_new_bind(sink.base, accept_session, &sink,
                                LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, BACKLOG,
                                (struct sockaddr *)&address, sizeof address) == NULL)
        give_up("port %s: %s", argv[1], strerror(errno));
    orders = event_new(sink.base, 0, EV_READ | EV_PERSIST, take_order, &sink);
    if (orders == NULL || event_add(orders, NULL) != 0)
        give_up("no orders can be taken");
    event_base_dispatch(sink.base);
    return 0;
}
