/*
 * state - what the processes of peg-bounce for one Postfix know together
 *
 * A folder below SETTINGS_BOUNCE_DIR, which belongs to the user that the command runs as: `limit`
 * (bounce/call_limit.h), locked while it is read and changed; `held-back`, the last notice that was
 * held back; `waiter`, locked by the process that waits until a call may be made; `counts`
 * (bounce/counts.h).
 *
 * Functions log why they fail.
 */
#ifndef PEG_BOUNCE_STATE_H
#define PEG_BOUNCE_STATE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "bounce/call_limit.h"
#include "bounce/counts.h"
#include "lib/attr.h"
#include "lib/settings.h"

struct state {
    char dir[PATH_MAX];
    int fd; /* of the file `limit`; holds the lock */
    struct call_limit limit;
};

/* The folder of a Postfix's state. false where the path would be too long. */
bool state_dir(const struct settings *settings, const char *name,
               char dir_r[PATH_MAX]) PEG_MUST_USE;

/* Open the state of a Postfix and lock it; other processes wait meanwhile. */
bool state_open(struct state *state_r, const struct settings *settings,
                const char *name) PEG_MUST_USE;

/* Write state->limit. */
bool state_save(const struct state *state) PEG_MUST_USE;

/* Unlock and close. */
void state_close(struct state *state);

/* Count something that has happened, in an open state. */
void state_count(const struct state *state, const struct counts *more);

/* The same in one that is opened for it; not while this process has it open. */
void state_count_closed(const struct settings *settings, const char *name,
                        const struct counts *more);

/* Keep the notice that was held back last. Where that fails, none is kept. */
void state_keep_notice(const struct state *state, const char *notice, size_t len);

/* Take it out: bytes to be freed, NULL where there is none. */
char *state_take_notice(const struct state *state, size_t max_len, size_t *len_r) PEG_MUST_USE;

/*
 * Become the process that waits. The lock ends when all copies of the descriptor are closed; -1
 * where another process has it, or it cannot be had.
 */
int state_lock_waiter(const struct state *state) PEG_MUST_USE;

#endif
