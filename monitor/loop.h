/*
 * loop - a round every minute, and signals between the rounds and in them
 *
 * Knows no clock and no signals of its own: who runs it brings both, so that tests can.
 */
#ifndef PEG_LOOP_H
#define PEG_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

enum { LOOP_INTERVAL_MS = 60 * 1000 };

enum loop_event { LOOP_NOTHING, LOOP_RELOAD, LOOP_END };

struct loop {
    int64_t (*now_ms)(void *arg);
    /* Wait for an event, for at most timeout_ms; 0: only look. */
    enum loop_event (*wait)(void *arg, int64_t timeout_ms);
    /* What is due; it may return early where LOOP_END waits. */
    void (*round)(void *arg);
    void (*reload)(void *arg);
    void *arg; /* of all */
};

/*
 * Run until LOOP_END: a round at once, after each reload, and every LOOP_INTERVAL_MS after the
 * first. Rounds whose time has passed while another one ran are left out.
 */
void loop_run(const struct loop *loop);

#endif
