/* connection - one client of the tcp_table server: its buffers, requests and answers */
#include "tcpmap/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "lib/clock.h"

enum {
    OUT_SIZE = 2 * PROTOCOL_LINE_MAX,
    LINGER_S = 5, /* for a client to read its last reply */
    /*
     * Edge-triggered. Otherwise epoll goes on looking at each socket that it has reported, and
     * where a request comes to one meanwhile, that overtakes those which came before it.
     */
    FAIR = EV_PERSIST | EV_ET
};

struct connection {
    LIST_ENTRY(connection) link;
    TAILQ_ENTRY(connection) due_link;
    const struct connection_owner *owner;
    int fd;
    struct event *readable;
    struct event *writable;
    bool due;       /* it is in owner->due */
    bool drained;   /* what comes now on the socket makes `readable` active */
    bool ended;     /* the client sends no more */
    bool stopping;  /* close when the output is taken */
    bool lingering; /* the last reply is given: drop input until the client leaves */
    bool held;      /* the first request of `in` waits */
    int64_t held_since_ms;
    size_t in_len;
    size_t out_len;
    char in[PROTOCOL_LINE_MAX];
    char out[OUT_SIZE];
};

static bool has_room(const struct connection *c)
{
    return OUT_SIZE - c->out_len >= PROTOCOL_LINE_MAX;
}

static void reply(struct connection *c, enum protocol_code code, const char *text)
{
    size_t len = protocol_reply_format(code, text, strlen(text), c->out + c->out_len);

    if (len == 0) /* data cut short would be a wrong route */
        len = protocol_reply_format(PROTOCOL_RETRY, "reply too long", 14, c->out + c->out_len);
    c->out_len += len;
}

/* Answer one line, without its newline. Returns false where it is held instead. */
static bool answer(struct connection *c, const char *line, size_t line_len, bool refuse)
{
    struct protocol_request request;
    char text[PROTOCOL_LINE_MAX];
    const char *why;
    int found;

    if (!protocol_request_parse(line, line_len, &request, &why)) {
        reply(c, PROTOCOL_RETRY, why);
        return true;
    }
    if (request.verb == PROTOCOL_PUT) {
        reply(c, PROTOCOL_ABSENT, "update rejected, this table is read-only");
        return true;
    }
    found = c->owner->lookup(c->owner->lookup_arg, request.key, request.key_len, text);
    if (found < 0 && !refuse)
        return false;
    if (found < 0)
        reply(c, PROTOCOL_RETRY, "decision table is not available");
    else if (found == 0)
        reply(c, PROTOCOL_ABSENT, "not found");
    else
        reply(c, PROTOCOL_FOUND, text);
    return true;
}

static void hold(struct connection *c)
{
    if (!c->held)
        c->held_since_ms = clock_boot_ms();
    c->held = true;
    c->owner->held(c->owner->arg);
}

/* Answer complete lines while there is room. Returns whether it ended for want of room. */
static bool answer_lines(struct connection *c, bool refuse)
{
    size_t done = 0;
    bool waits = false;

    while (has_room(c)) {
        const char *line = c->in + done;
        const char *newline = memchr(line, '\n', c->in_len - done);

        if (newline == NULL)
            break;
        waits = !answer(c, line, (size_t)(newline - line), refuse);
        if (waits)
            break;
        c->held = false;
        done += (size_t)(newline - line) + 1;
    }
    c->in_len -= done;
    memmove(c->in, c->in + done, c->in_len);
    if (waits) {
        hold(c);
        return false;
    }
    if (!has_room(c))
        return true;
    if (c->in_len == sizeof c->in) {
        /* 400: where the next request begins is lost, and 500 would say that there is no entry */
        reply(c, PROTOCOL_RETRY, "line too long");
        c->lingering = true;
        c->in_len = 0;
    }
    return false;
}

/* Returns false where the client is gone. */
static bool flush(struct connection *c)
{
    while (c->out_len > 0) {
        ssize_t sent = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN;
        c->out_len -= (size_t)sent;
        memmove(c->out, c->out + sent, c->out_len);
    }
    return true;
}

/* Wait for what can happen next. Returns false where that cannot be had. */
static bool watch(struct connection *c)
{
    const struct timeval stall = {c->owner->stall_ms / 1000, c->owner->stall_ms % 1000 * 1000};
    const struct timeval linger = {LINGER_S, 0};
    bool read_on = !c->ended && !c->stopping && c->in_len < sizeof c->in && has_room(c);

    /* Only an event that is new to it has epoll look at what is there already. */
    if (!c->drained && event_del(c->readable) != 0)
        return false;
    if (read_on ? event_add(c->readable, c->lingering ? &linger : NULL) != 0
                : event_del(c->readable) != 0)
        return false;
    if (c->out_len == 0)
        return event_del(c->writable) == 0;
    return event_pending(c->writable, EV_WRITE, NULL) || event_add(c->writable, &stall) == 0;
}

/* Do all that can be done now, then wait for more. May free the connection. */
static void step(struct connection *c, bool refuse)
{
    bool more = true;

    while (more) {
        more = !c->lingering && answer_lines(c, refuse);
        if (!flush(c)) {
            connection_close(c);
            return;
        }
        more = more && has_room(c);
    }
    if (c->out_len == 0 && (c->stopping || (c->ended && !c->held))) {
        connection_close(c);
        return;
    }
    /* Closing with input unread would reset the connection, and the reply could be lost with it. */
    if (c->lingering && c->out_len == 0)
        shutdown(c->fd, SHUT_WR);
    if (!watch(c))
        connection_close(c);
}

/*
 * Take what the client has sent, as far as there is room. A read that is not filled has emptied the
 * socket (epoll(7)), save where the client has closed its side. Returns false where it is gone.
 */
static bool receive(struct connection *c, bool is_closed)
{
    c->drained = false;
    while (!c->drained && !c->ended && c->in_len < sizeof c->in) {
        size_t room = sizeof c->in - c->in_len;
        ssize_t got = recv(c->fd, c->in + c->in_len, room, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno != EAGAIN)
            return false;
        c->drained = got < 0 || ((size_t)got < room && !is_closed);
        c->ended = got == 0;
        if (c->lingering) /* it may send without end */
            break;
        if (got > 0)
            c->in_len += (size_t)got;
    }
    return true;
}

static void make_due(struct connection *c)
{
    bool is_first = TAILQ_EMPTY(c->owner->due);

    if (c->due)
        return;
    c->due = true;
    TAILQ_INSERT_TAIL(c->owner->due, c, due_link);
    if (is_first)
        c->owner->is_due(c->owner->arg);
}

static void no_more_due(struct connection *c)
{
    if (c->due)
        TAILQ_REMOVE(c->owner->due, c, due_link);
    c->due = false;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;

    (void)fd;
    if ((what & EV_TIMEOUT) != 0 || !receive(c, (what & EV_CLOSED) != 0))
        connection_close(c);
    else
        make_due(c);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;

    (void)fd;
    if ((what & EV_TIMEOUT) != 0)
        connection_close(c);
    else
        make_due(c);
}

static void release(struct connection *c)
{
    if (c->readable != NULL)
        event_free(c->readable);
    if (c->writable != NULL)
        event_free(c->writable);
    close(c->fd);
    free(c);
}

bool connection_open(struct connection_list *list, const struct connection_owner *owner, int fd)
{
    struct connection *c = malloc(sizeof *c); /* not calloc: pages of unused buffers cost nothing */

    if (c == NULL) {
        close(fd);
        return false;
    }
    c->owner = owner;
    c->fd = fd;
    c->due = c->drained = c->ended = c->stopping = c->lingering = c->held = false;
    c->in_len = c->out_len = 0;
    c->readable = event_new(owner->base, fd, EV_READ | EV_CLOSED | FAIR, on_readable, c);
    c->writable = event_new(owner->base, fd, EV_WRITE | FAIR, on_writable, c);
    if (c->readable == NULL || c->writable == NULL || !watch(c)) {
        release(c);
        return false;
    }
    LIST_INSERT_HEAD(list, c, link);
    return true;
}

void connection_serve_due(const struct connection_owner *owner)
{
    struct connection *c;

    while ((c = TAILQ_FIRST(owner->due)) != NULL) {
        no_more_due(c);
        step(c, false);
    }
}

struct connection *connection_next(const struct connection *connection)
{
    return LIST_NEXT(connection, link);
}

bool connection_is_held(const struct connection *connection)
{
    return connection->held;
}

void connection_resume(struct connection *connection)
{
    step(connection, false);
}

bool connection_refuse_late(struct connection *connection, int64_t limit_ms)
{
    if (!connection->held || connection->held_since_ms > limit_ms)
        return false;
    step(connection, true);
    return true;
}

void connection_stop(struct connection *connection)
{
    connection->stopping = true;
    if (receive(connection, false))
        make_due(connection);
    else
        connection_close(connection);
}

void connection_close(struct connection *connection)
{
    LIST_REMOVE(connection, link);
    no_more_due(connection);
    connection->owner->closed(connection->owner->arg);
    release(connection);
}
