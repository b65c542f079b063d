/*
 * control - start, stop and reload the parts of a gateway, several at once
 *
 * Every function goes on with the other parts after an error, which it prints on stderr, and then
 * returns false.
 */
#ifndef PEG_GEN_CONTROL_H
#define PEG_GEN_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "gen/part.h"
#include "lib/attr.h"
#include "lib/settings.h"

/* Some of the parts, in the order of starting; borrowed. */
struct selection {
    const struct part *items[SETTINGS_PRIORITY_MAX + 3];
    size_t count;
};

/*
 * Start what does not run: daemons, then instances, then the frontend. Returns when all of them
 * serve. At the end the frontend tries its deferred mail at once, since it would leave alone a
 * destination that was away for minutes.
 */
bool control_start(const struct settings *settings, const struct selection *selection) PEG_MUST_USE;

/* Stop what runs, in the opposite order. Returns when it is gone. */
bool control_stop(const struct selection *selection) PEG_MUST_USE;

/*
 * Make what runs read its configuration again, and set its nice level. Returns when our daemons
 * have taken it over; Postfix goes on by itself.
 */
bool control_reload(const struct settings *settings,
                    const struct selection *selection) PEG_MUST_USE;

/* Print a line for each part. Returns whether all run. */
bool control_status(const struct selection *selection) PEG_MUST_USE;

/* Whether the processes of a running Postfix have another nice level than they should. */
bool control_nice_differs(const struct part *part) PEG_MUST_USE;

#endif
