/*
 * control - start, stop and reload the parts of a gateway, several at once
 *
 * Every function goes on with the other parts after an error, which it prints on stderr, and then
 * returns false.
 */
#ifndef PEG_CTL_CONTROL_H
#define PEG_CTL_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "admin/part.h"
#include "lib/attr.h"
#include "lib/settings.h"

/*
 * Start what does not run: the daemons that decide, then instances, frontends, and the monitor.
 * Returns when all of them serve. At the end control_recovered() is done for what was started.
 * Where systemd is the one to do that (ctl/service_manager.h), it is told to.
 */
bool control_start(const struct settings *settings, const struct selection *selection) PEG_MUST_USE;

/* Stop what runs, in the opposite order. Returns when it is gone. */
bool control_stop(const struct settings *settings, const struct selection *selection) PEG_MUST_USE;

/*
 * The same for a unit of systemd, which does all else by itself. A frontend is not started while
 * one of the daemons does not run.
 */
bool control_start_directly(const struct settings *settings,
                            const struct selection *selection) PEG_MUST_USE;
bool control_stop_directly(const struct selection *selection) PEG_MUST_USE;

/*
 * After parts have started: have the frontends that run try their deferred mail at once, since they
 * would leave alone for minutes a destination that was away.
 */
bool control_recovered(const struct settings *settings,
                       const struct selection *selection) PEG_MUST_USE;

/*
 * Make what runs read its configuration again, and set its nice level and policy. Returns when our
 * daemons have taken it over; Postfix goes on by itself.
 */
bool control_reload(const struct settings *settings,
                    const struct selection *selection) PEG_MUST_USE;

/* Print a line for each part. Returns whether all run. */
bool control_status(const struct selection *selection) PEG_MUST_USE;

#endif
