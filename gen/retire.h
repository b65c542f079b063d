/*
 * retire - wait until no mail needs the Postfixes that the settings no longer have
 *
 * To be called while they and all that leads to them still work, but no new mail is decided for
 * them.
 */
#ifndef PEG_GEN_RETIRE_H
#define PEG_GEN_RETIRE_H

#include <stdbool.h>

#include "gen/work.h"
#include "lib/attr.h"

/*
 * Wait until all mail has left that those have, and, where instances go, that the frontends had
 * when this was called. What is deferred is tried again at once, and once a minute. False after an
 * error on stderr, with the counts where timeout_s was not enough.
 */
bool retire_wait(const struct work *work, int timeout_s) PEG_MUST_USE;

#endif
