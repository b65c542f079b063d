/*
 * drain - a stop waits for the messages that are being decided
 *
 * Postfix takes a message as it came when its milter goes away in the middle. Where half of a
 * decision has been told by then, it would lose the other half. Thread-safe.
 */
#ifndef PEG_DRAIN_H
#define PEG_DRAIN_H

#include "lib/attr.h"

/*
 * Around the decision on a message. When a drain has begun, drain_enter() does not return any more:
 * the message is one that this process has never seen.
 */
void drain_enter(void);
void drain_leave(void);

/* Wait until what has been entered is left and answered, timeout_ms at the most. Returns how many
 * messages are still on their way then. For the end of the process. */
unsigned drain(long timeout_ms) PEG_MUST_USE;

#endif
