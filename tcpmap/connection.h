/*
 * connection - one client of the tcp_table server: its buffers, requests and answers
 *
 * Requests are answered in the order they came, those of other connections included. Memory is
 * fixed: one line of input, and output for a few replies; while there is no room for another reply
 * nothing more is read. A request that cannot be answered now stays in the input (it is held) until
 * the owner says to try again. What has come on several connections is read first and answered
 * then, so that whatever the owner has to look at before it answers, it looks at once for all of
 * them.
 *
 * Threads: all calls from the thread that runs the event base.
 */
#ifndef PEG_CONNECTION_H
#define PEG_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/attr.h"
#include "tcpmap/protocol.h"

struct connection;
struct event_base;

LIST_HEAD(connection_list, connection);
TAILQ_HEAD(connection_queue, connection);

/* What connections need from their owner; one for all of them, borrowed while they live. */
struct connection_owner {
    struct event_base *base;
    /*
     * Look up a key. Returns 1 with the NUL-terminated data in text_r, 0 where there is no entry,
     * -1 where that cannot be said now: the request is then held.
     */
    int (*lookup)(void *arg, const char *key, size_t key_len, char text_r[PROTOCOL_LINE_MAX]);
    void *lookup_arg;
    /* Connections for connection_serve_due(), in the order in which they came into it. */
    struct connection_queue *due;
    /* There is one in `due`, which was empty before. */
    void (*is_due)(void *arg);
    /* A request is held from now on. */
    void (*held)(void *arg);
    /* A connection has left the list and is about to be freed. */
    void (*closed)(void *arg);
    void *arg;    /* of is_due(), held() and closed() */
    int stall_ms; /* a client that takes none of its replies for so long is dropped */
};

/*
 * Serve fd, a connected non-blocking TCP socket that belongs to the connection from now on, and put
 * it into list. Returns false, with fd closed, where memory runs out. The connection frees itself
 * when the client leaves.
 */
bool connection_open(struct connection_list *list, const struct connection_owner *owner,
                     int fd) PEG_MUST_USE;

/*
 * Answer what can be answered on all connections that are due. What lookup() is asked for was read
 * before this call.
 */
void connection_serve_due(const struct connection_owner *owner);

/* The one after it in its list, or NULL. */
struct connection *connection_next(const struct connection *connection) PEG_MUST_USE;

/* Whether a request is held. */
bool connection_is_held(const struct connection *connection) PEG_MUST_USE;

/* Try again what is held. May free the connection. */
void connection_resume(struct connection *connection);

/*
 * Where a request is held since before limit_ms (lib/clock.h), answer all complete requests that
 * still have no answer with 400, and return true. May free the connection.
 */
bool connection_refuse_late(struct connection *connection, int64_t limit_ms);

/*
 * Answer what is complete when it is due, then close; frees the connection now or once its output
 * is taken. What is held gets no answer: after a lost connection Postfix asks again within seconds,
 * after a 400 in minutes.
 */
void connection_stop(struct connection *connection);

/* Close at once and free. */
void connection_close(struct connection *connection);

#endif
