/*
 * event - what becomes of a mail to bouncemanager: a call of the bounce command, at once or later
 *
 * local(8) starts a process for each of them and waits for its end, so that none of these processes
 * may wait for a call that is not due yet: one that is left behind does (bounce/waiter.h).
 */
#ifndef PEG_BOUNCE_EVENT_H
#define PEG_BOUNCE_EVENT_H

#include "lib/attr.h"
#include "lib/options.h"

/*
 * Handle the mail on standard input for the Postfix of that name. Returns the exit status for
 * local(8) (sysexits.h): 0 whatever the command does; where the mail was not made by that Postfix,
 * one that returns it to its sender; where the settings cannot be read, one that tries it later.
 */
int event_run(const struct options *options, const char *name) PEG_MUST_USE;

#endif
