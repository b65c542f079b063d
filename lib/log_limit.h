/*
 * log_limit - how often one kind of event goes to the log
 *
 * Pure: the caller brings the time and writes the line.
 *
 * Threads: not for concurrent use on one object, but for log_limit_pass_shared().
 */
#ifndef PEG_LOG_LIMIT_H
#define PEG_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

enum { LOG_LIMIT_INTERVAL_MS = 60 * 1000 };

/* One kind of event; zero bytes are the beginning. */
struct log_limit {
    bool has_passed;
    int64_t passed_ms;
    uint64_t held_back; /* since then */
};

/*
 * Whether the event that happens at now_ms (lib/clock.h) goes to the log: the first one does, and
 * then at most one in 60 s. Where it does, *held_back_r gets how many did not since the last that
 * went there; otherwise it stays untouched.
 */
bool log_limit_pass(struct log_limit *limit, int64_t now_ms, uint64_t *held_back_r) PEG_MUST_USE;

/* The same for events that happen in several threads at once. */
bool log_limit_pass_shared(struct log_limit *limit, int64_t now_ms,
                           uint64_t *held_back_r) PEG_MUST_USE;

#endif
