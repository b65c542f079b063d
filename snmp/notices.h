/*
 * notices - events of alarms, from the thread that finds them to the one that sends them
 *
 * While nobody can send (snmpd is away) they are kept: an alarm that began is told late, and one
 * that began and is over before anybody could be told is told no more. The log has it all.
 *
 * Threads: every call but notices_new() and notices_free() may run concurrently.
 */
#ifndef PEG_NOTICES_H
#define PEG_NOTICES_H

#include <stdbool.h>

#include "lib/attr.h"
#include "survey/alarms.h"

struct notices;

/* NULL: out of memory. */
struct notices *notices_new(void) PEG_MUST_USE;
void notices_free(struct notices **notices);

void notices_put(struct notices *notices, const struct alarm_event *event);

/* Take one that is to be told; an alarm's end comes after its begin. Returns false: there is none.
 */
bool notices_take(struct notices *notices, struct alarm_event *event_r) PEG_MUST_USE;

#endif
