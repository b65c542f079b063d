/*
 * limit - how many messages are being decided at once (LIMIT_CONNECTIONS_MILTER)
 *
 * Threads: any number at once; the count is exact.
 */
#ifndef PEG_LIMIT_H
#define PEG_LIMIT_H

#include <stdbool.h>

#include "lib/attr.h"

/*
 * Take a place among at most max messages, to be given back with limit_leave(). Returns false where
 * all are taken, and says so in the log, once a minute at most. max may change from call to call.
 */
bool limit_enter(int max) PEG_MUST_USE;
void limit_leave(void);

#endif
