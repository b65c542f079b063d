/*
 * call_limit - how often the bounce command of one Postfix runs: a number of calls in any minute
 *
 * Pure: the caller brings the time (lib/clock.h, since boot) and keeps the bytes between processes.
 * A bounce that is held back is counted, and the next call that may be made stands for all of them.
 */
#ifndef PEG_BOUNCE_CALL_LIMIT_H
#define PEG_BOUNCE_CALL_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

enum { CALL_LIMIT_WINDOW_MS = 60 * 1000, CALL_LIMIT_MAX = 1000 };

/* All zero is the beginning. The layout is that of a file. */
struct call_limit {
    uint64_t held_back; /* bounces that no call has stood for */
    uint32_t next;      /* in call_ms: where the next call goes, in a circle */
    uint32_t count;     /* calls that are known */
    int64_t call_ms[CALL_LIMIT_MAX];
};

/* Whether bytes from a file can be one. */
bool call_limit_is_sound(const struct call_limit *limit) PEG_MUST_USE;

/*
 * How long to wait until a call may be made, so that none of `calls` calls (1 to CALL_LIMIT_MAX)
 * before it is less than a minute old; 0: now. Calls from the future are from before a reboot.
 */
int64_t call_limit_wait_ms(const struct call_limit *limit, int calls, int64_t now_ms) PEG_MUST_USE;

/* Note that a call is made. */
void call_limit_note(struct call_limit *limit, int64_t now_ms);

#endif
