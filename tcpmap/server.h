/*
 * server - a tcp_table(5) server: listening sockets, the connection limit, holding of answers
 *
 * It knows nothing of tables, settings or signals: a callback looks keys up. While that callback
 * cannot say (the table is being replaced), requests are held rather than refused, since Postfix
 * waits 100 s for a reply (DICT_TCP_TMOUT in src/util/dict_tcp.c) but after a 400 leaves the
 * message for minimal_backoff_time.
 *
 * Threads: all calls, and the callbacks, in the thread that runs the event base.
 */
#ifndef PEG_SERVER_H
#define PEG_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "tcpmap/protocol.h"

struct event_base;
struct server;

enum {
    SERVER_LISTEN_MAX = 8,
    SERVER_HOLD_RETRY_MS = 100,
    SERVER_HOLD_MAX_MS = 90 * 1000,  /* below Postfix's 100 s, so that it hears why */
    SERVER_STALL_MAX_MS = 100 * 1000 /* tcp_table(5): operations must complete in 100 seconds */
};

struct server_config {
    /*
     * Look up a key, after ready(). Returns 1 with the NUL-terminated data in text_r, 0 where there
     * is no entry, -1 where that cannot be said now.
     */
    int (*lookup)(void *arg, const char *key, size_t key_len, char text_r[PROTOCOL_LINE_MAX]);
    /*
     * Whether lookup() would say now. Asked once all requests have been read that are looked up
     * next, and every hold_retry_ms while requests are held.
     */
    bool (*ready)(void *arg);
    void *arg;              /* of both */
    const int *listen_fds;  /* listening and non-blocking; they stay the caller's */
    size_t listen_fd_count; /* 1 to SERVER_LISTEN_MAX */
    int connection_limit;   /* at least 1; further clients wait in the backlog */
    int hold_retry_ms;
    int hold_max_ms;  /* a request held so long is answered with 400 */
    int stall_max_ms; /* a client that takes none of its replies for so long is dropped */
};

/* The times above and nothing else. */
#define SERVER_CONFIG_TIMES                                                   \
    .hold_retry_ms = SERVER_HOLD_RETRY_MS, .hold_max_ms = SERVER_HOLD_MAX_MS, \
    .stall_max_ms = SERVER_STALL_MAX_MS

/*
 * Serve on a base that the caller runs. base is borrowed until server_free(); config is copied.
 * Returns NULL where memory runs out.
 */
struct server *server_new(struct event_base *base, const struct server_config *config) PEG_MUST_USE;

/*
 * Accept no more, answer what is complete, close all connections, then end the loop of the base; a
 * client that does not take its answers delays that by 2 s at most.
 */
void server_stop(struct server *server);

/* Connections served since server_new(). */
uint64_t server_served(const struct server *server);

/* Close all connections, free *server and set it to NULL. */
void server_free(struct server **server);

#endif
