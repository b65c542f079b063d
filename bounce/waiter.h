/* waiter - a process that waits until the bounces that were held back may be told in one call */
#ifndef PEG_BOUNCE_WAITER_H
#define PEG_BOUNCE_WAITER_H

#include <stdint.h>

#include "bounce/call.h"
#include "bounce/state.h"

/*
 * Leave one behind, unless there is one. To be called with the state open. It ends with Postfix;
 * the next bounce then makes the call that is due.
 */
void waiter_start(const struct caller *caller, const struct state *state);

/*
 * Take what was held back out of an open state, and note that a call is made for it, which the
 * caller makes with waiter_call() once the state is saved and closed.
 */
struct held_back {
    uint64_t count;
    char *notice; /* NULL where there is none */
    size_t len;
};
struct held_back waiter_take(struct state *state);

/* Make the call, and free what waiter_take() returned. */
void waiter_call(const struct caller *caller, const struct settings *settings,
                 struct held_back *held_back);

#endif
