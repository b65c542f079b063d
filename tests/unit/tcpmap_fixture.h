/*
 * tcpmap_fixture - a tcp_table server in a thread, and what its clients on loopback sockets need
 *
 * The made-up table answers every key that has an `@` with `r:KEY`, so that each answer shows which
 * request it belongs to. Included once by a test program; functions are inline since not every
 * program uses all.
 */
#ifndef PEG_TCPMAP_FIXTURE_H
#define PEG_TCPMAP_FIXTURE_H

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "tcpmap/listen.h"
#include "tcpmap/server.h"

enum {
    DEADLINE_MS = 20 * 1000, /* for what must happen */
    QUIET_MS = 150           /* how long to look on while nothing may happen */
};

struct fixture {
    struct event_base *base;
    struct server *server;
    pthread_t thread;
    int stop_fd;
    int listen_fd;
    struct sockaddr_in address;
    atomic_bool available;
};

static inline int lookup(void *arg, const char *key, size_t key_len, char text_r[PROTOCOL_LINE_MAX])
{
    struct fixture *f = arg;

    if (memchr(key, '@', key_len) == NULL)
        return 0;
    if (!f->available)
        return -1;
    snprintf(text_r, PROTOCOL_LINE_MAX, "r:%.*s", (int)key_len, key);
    return 1;
}

static inline bool ready(void *arg)
{
    const struct fixture *f = arg;

    return f->available;
}

static inline void on_stop(evutil_socket_t fd, short what, void *arg)
{
    struct fixture *f = arg;

    (void)fd;
    (void)what;
    server_stop(f->server);
}

static inline void *run(void *arg)
{
    struct fixture *f = arg;
    struct event *stop = event_new(f->base, f->stop_fd, EV_READ, on_stop, f);

    event_add(stop, NULL);
    event_base_dispatch(f->base);
    event_free(stop);
    return NULL;
}

static inline struct server_config defaults(void)
{
    return (struct server_config){SERVER_CONFIG_TIMES, .connection_limit = 300};
}

static inline struct fixture *start(struct server_config config)
{
    struct fixture *f = calloc(1, sizeof *f);
    socklen_t len = sizeof f->address;

    assert_non_null(f);
    f->available = true;
    f->base = event_base_new();
    f->stop_fd = eventfd(0, EFD_CLOEXEC);
    f->listen_fd = listen_open("127.0.0.1", 0);
    assert_true(f->stop_fd >= 0 && f->listen_fd >= 0);
    assert_int_equal(getsockname(f->listen_fd, (struct sockaddr *)&f->address, &len), 0);
    if (config.lookup == NULL)
        config.lookup = lookup;
    config.ready = ready;
    config.arg = f;
    config.listen_fds = &f->listen_fd;
    config.listen_fd_count = 1;
    f->server = server_new(f->base, &config);
    assert_non_null(f->server);
    assert_int_equal(pthread_create(&f->thread, NULL, run, f), 0);
    return f;
}

static inline void ask_to_stop(const struct fixture *f)
{
    assert_int_equal(eventfd_write(f->stop_fd, 1), 0);
}

/* Returns how many connections were served. */
static inline uint64_t finish(struct fixture *f)
{
    uint64_t served;

    ask_to_stop(f);
    assert_int_equal(pthread_join(f->thread, NULL), 0);
    served = server_served(f->server);
    server_free(&f->server);
    assert_null(f->server);
    event_base_free(f->base);
    close(f->listen_fd);
    close(f->stop_fd);
    free(f);
    return served;
}

static inline int make_socket(void)
{
    const struct timeval deadline = {DEADLINE_MS / 1000, 0};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline), 0);
    return fd;
}

static inline int client(const struct fixture *f)
{
    int fd = make_socket();

    assert_int_equal(connect(fd, (const struct sockaddr *)&f->address, sizeof f->address), 0);
    return fd;
}

static inline void say(int fd, const char *text)
{
    size_t len = strlen(text);

    assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), len);
}

/* Read exactly this. */
static inline void expect(int fd, const char *text)
{
    char got[PROTOCOL_LINE_MAX + 1] = "";
    size_t len = strlen(text);

    assert_true(len < sizeof got);
    if (recv(fd, got, len, MSG_WAITALL) != (ssize_t)len || memcmp(got, text, len) != 0)
        fail_msg("expected %s, got %s", text, got);
}

static inline void expect_end(int fd)
{
    char byte;

    assert_int_equal(recv(fd, &byte, 1, 0), 0);
}

static inline bool has_input(int fd, int wait_ms)
{
    struct pollfd watched = {.fd = fd, .events = POLLIN};

    return poll(&watched, 1, wait_ms) == 1;
}

#endif
