/* server - a tcp_table(5) server: listening sockets, the connection limit, holding of answers */
#include "tcpmap/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "tcpmap/connection.h"

enum {
    ACCEPT_PAUSE_MS = 1000, /* after an accept that failed for want of resources */
    STOP_GRACE_MS = 2000,
    WARN_INTERVAL_MS = 60 * 1000,
    /* What the kernel keeps for a client that does not read; its own default is megabytes. */
    SOCKET_BUFFER_SIZE = 64 * 1024,
    /* Dead peers are found after 60 + 6 * 10 s; Postfix itself never closes an idle connection. */
    KEEPALIVE_IDLE_S = 60,
    KEEPALIVE_INTERVAL_S = 10,
    KEEPALIVE_PROBES = 6
};

struct server {
    struct server_config config;
    struct connection_owner owner;
    struct connection_list connections;
    struct connection_queue due;
    int connection_count;
    uint64_t served;
    bool stopping;
    bool refused; /* since holding began, some were answered with 400 */
    struct event *listeners[SERVER_LISTEN_MAX]; /* config.listen_fd_count of them */
    struct event *serve_due;
    struct event *accept_again;
    struct event *hold_retry;
    struct event *stop_late;
    int64_t limit_warned_ms;  /* 0: never */
    int64_t accept_warned_ms; /* 0: never */
};

static struct timeval from_ms(int ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

/* Whether to warn now, if last_ms is when that was done before. */
static bool warning_due(int64_t *last_ms)
{
    int64_t now_ms = clock_boot_ms();

    if (*last_ms != 0 && now_ms - *last_ms < WARN_INTERVAL_MS)
        return false;
    *last_ms = now_ms;
    return true;
}

static void accept_off(struct server *server)
{
    for (size_t i = 0; i < server->config.listen_fd_count; i++)
        event_del(server->listeners[i]);
}

static bool accept_on(struct server *server)
{
    for (size_t i = 0; i < server->config.listen_fd_count; i++)
        if (event_add(server->listeners[i], NULL) != 0)
            return false;
    return true;
}

static void accept_later(struct server *server)
{
    struct timeval pause = from_ms(ACCEPT_PAUSE_MS);

    accept_off(server);
    if (event_add(server->accept_again, &pause) != 0)
        log_fatal("out of memory");
}

/* The listening sockets are level-triggered: as long as they are watched they wake us. */
static void check_limit(struct server *server)
{
    if (server->connection_count < server->config.connection_limit)
        return;
    accept_off(server);
    if (warning_due(&server->limit_warned_ms))
        log_warn("all %d connections are in use: further clients wait until one of them leaves; "
                 "raise LIMIT_CONNECTIONS_TCPMAP if this is ordinary load",
                 server->config.connection_limit);
}

static void set_options(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {
        {SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER_SIZE},
        {SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER_SIZE},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S},
        {IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S},
        {IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES},
    };

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (setsockopt(fd, options[i].level, options[i].name, &options[i].value,
                       sizeof options[i].value) != 0)
            log_warn("setsockopt %d on a connection: %m", options[i].name);
}

/* accept(2): errors of the new connection alone; all others are our own. */
static bool is_clients_error(int error)
{
    return error == EINTR || error == ECONNABORTED || error == EPROTO || error == ENETDOWN ||
           error == ENETUNREACH || error == EHOSTUNREACH || error == EHOSTDOWN;
}

static void on_client(evutil_socket_t listen_fd, short what, void *arg)
{
    struct server *server = arg;

    (void)what;
    while (server->connection_count < server->config.connection_limit) {
        int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0 && is_clients_error(errno))
            continue;
        if (fd < 0) {
            if (errno == EAGAIN)
                return;
            if (warning_due(&server->accept_warned_ms))
                log_warn("cannot accept connections, trying again every second: %m");
            accept_later(server);
            return;
        }
        set_options(fd);
        if (!connection_open(&server->connections, &server->owner, fd)) {
            log_warn("no memory for a connection");
            accept_later(server);
            return;
        }
        server->connection_count++;
        server->served++;
    }
    check_limit(server);
}

static void on_accept_again(evutil_socket_t fd, short what, void *arg)
{
    struct server *server = arg;

    (void)fd;
    (void)what;
    if (server->connection_count < server->config.connection_limit && !accept_on(server))
        accept_later(server);
}

static void on_closed(void *arg)
{
    struct server *server = arg;

    server->connection_count--;
    if (server->stopping) {
        if (server->connection_count == 0)
            event_base_loopexit(server->owner.base, NULL);
    } else if (!event_pending(server->accept_again, EV_TIMEOUT, NULL) && !accept_on(server)) {
        accept_later(server);
    }
}

/* libevent runs it once it has gone through all that it found readable. */
static void on_due(void *arg)
{
    const struct server *server = arg;

    event_active(server->serve_due, EV_TIMEOUT, 0);
}

static void on_serve_due(evutil_socket_t fd, short what, void *arg)
{
    struct server *server = arg;

    (void)fd;
    (void)what;
    (void)server->config.ready(server->config.arg); /* where it is not, lookup() says so */
    connection_serve_due(&server->owner);
}

static void on_held(void *arg)
{
    struct server *server = arg;
    struct timeval interval = from_ms(server->config.hold_retry_ms);

    if (server->stopping || event_pending(server->hold_retry, EV_TIMEOUT, NULL))
        return;
    server->refused = false;
    if (event_add(server->hold_retry, &interval) != 0)
        log_fatal("out of memory");
}

static void on_hold_retry(evutil_socket_t fd, short what, void *arg)
{
    struct server *server = arg;
    int64_t limit_ms = clock_boot_ms() - server->config.hold_max_ms;
    bool ready = server->config.ready(server->config.arg);
    bool held = false;
    struct connection *next;

    (void)fd;
    (void)what;
    for (struct connection *c = LIST_FIRST(&server->connections); c != NULL; c = next) {
        next = connection_next(c);
        if (!connection_is_held(c))
            continue;
        held = true;
        if (ready)
            connection_resume(c);
        else if (connection_refuse_late(c, limit_ms) && !server->refused) {
            log_error("requests waited for %d s: answering them with 400, which defers their mail",
                      server->config.hold_max_ms / 1000);
            server->refused = true;
        }
    }
    if (!held)
        event_del(server->hold_retry);
}

static void on_stop_late(evutil_socket_t fd, short what, void *arg)
{
    struct server *server = arg;

    (void)fd;
    (void)what;
    while (!LIST_EMPTY(&server->connections))
        connection_close(LIST_FIRST(&server->connections));
}

struct server *server_new(struct event_base *base, const struct server_config *config)
{
    struct server *server = calloc(1, sizeof *server);

    if (server == NULL)
        return NULL;
    server->config = *config;
    server->owner = (struct connection_owner){.base = base,
                                              .lookup = config->lookup,
                                              .lookup_arg = config->arg,
                                              .due = &server->due,
                                              .is_due = on_due,
                                              .held = on_held,
                                              .closed = on_closed,
                                              .arg = server,
                                              .stall_ms = config->stall_max_ms};
    LIST_INIT(&server->connections);
    TAILQ_INIT(&server->due);
    server->serve_due = event_new(base, -1, 0, on_serve_due, server);
    server->accept_again = event_new(base, -1, 0, on_accept_again, server);
    server->hold_retry = event_new(base, -1, EV_PERSIST, on_hold_retry, server);
    server->stop_late = event_new(base, -1, 0, on_stop_late, server);
    if (server->serve_due == NULL || server->accept_again == NULL || server->hold_retry == NULL ||
        server->stop_late == NULL)
        goto failed;
    for (size_t i = 0; i < config->listen_fd_count; i++) {
        server->listeners[i] =
            event_new(base, config->listen_fds[i], EV_READ | EV_PERSIST, on_client, server);
        if (server->listeners[i] == NULL)
            goto failed;
    }
    if (accept_on(server))
        return server;
failed:
    server_free(&server);
    return NULL;
}

void server_stop(struct server *server)
{
    struct timeval grace = from_ms(STOP_GRACE_MS);
    struct connection *next;

    server->stopping = true;
    accept_off(server);
    event_del(server->accept_again);
    event_del(server->hold_retry);
    for (struct connection *c = LIST_FIRST(&server->connections); c != NULL; c = next) {
        next = connection_next(c);
        connection_stop(c);
    }
    if (server->connection_count == 0 || event_add(server->stop_late, &grace) != 0)
        event_base_loopexit(server->owner.base, NULL);
}

uint64_t server_served(const struct server *server)
{
    return server->served;
}

static void free_event(struct event *event)
{
    if (event != NULL)
        event_free(event);
}

void server_free(struct server **server)
{
    struct server *s = *server;

    if (s == NULL)
        return;
    s->stopping = true; /* so that no closed connection turns accepting on */
    while (!LIST_EMPTY(&s->connections))
        connection_close(LIST_FIRST(&s->connections));
    for (size_t i = 0; i < s->config.listen_fd_count; i++)
        free_event(s->listeners[i]);
    free_event(s->serve_due);
    free_event(s->accept_again);
    free_event(s->hold_retry);
    free_event(s->stop_late);
    free(s);
    *server = NULL;
}
