/*
 * ask_client - one who asks peg-monitor: a line in, an answer out, and neither for long
 *
 * A request is `counts` or `details` and a newline; the answer is text and the end of the stream.
 * Nothing here waits: the descriptor is non-blocking, and whoever polls says what time it is.
 *
 * Units: *_ms are those of one clock that is never set.
 */
#ifndef PEG_ASK_CLIENT_H
#define PEG_ASK_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "survey/survey.h"

enum { ASK_READ_LIMIT_MS = 5000, ASK_WRITE_LIMIT_MS = 10000, ASK_REQUEST_SIZE = 32 };

enum ask_state {
    ASK_READS,  /* its request has not come as a whole */
    ASK_WAITS,  /* for an answer, as long as that takes */
    ASK_WRITES, /* its answer */
    ASK_GONE    /* it has had its answer, or is to be given up: ask_client_close() */
};

struct ask_client {
    int fd;
    enum ask_state state;
    int64_t limit_ms; /* of ASK_READS and ASK_WRITES: when it is given up */
    char request[ASK_REQUEST_SIZE];
    size_t request_len;
    enum survey_detail detail; /* what it asked for, from ASK_WAITS on */
    uint64_t look;             /* that it waits for (ask_walker_ask()) */
    char *answer;
    size_t answer_len;
    size_t sent;
};

/* A new one, which owns fd from now on. */
void ask_client_open(struct ask_client *client, int fd, int64_t now_ms);

/* What to poll its descriptor for. */
short ask_client_events(const struct ask_client *client) PEG_MUST_USE;

/* Go on where poll() has found something. The state may change to any later one. */
void ask_client_go_on(struct ask_client *client, short events, int64_t now_ms);

/* Give it its answer, which it owns and frees from now on; NULL: none could be had. */
void ask_client_answer(struct ask_client *client, char *answer, int64_t now_ms);

/* Give it up where it has taken too long. */
void ask_client_check_time(struct ask_client *client, int64_t now_ms);

/* Close its descriptor and free what it has. */
void ask_client_close(struct ask_client *client);

#endif
