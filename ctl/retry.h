/*
 * retry - have the frontends try again at once what they have deferred
 *
 * By itself a frontend would leave alone for minutes a destination that was away, and for half a
 * minute all mail after a lookup that failed (src/global/resolve_clnt.c). Errors go to stderr.
 */
#ifndef PEG_CTL_RETRY_H
#define PEG_CTL_RETRY_H

#include <stdbool.h>
#include <sys/types.h>

#include "admin/part.h"
#include "lib/attr.h"
#include "lib/settings.h"

/* Flush the queues of the frontends that run: of all, or of those that are selected. */
bool retry_deferred(const struct settings *settings) PEG_MUST_USE;
bool retry_deferred_of(const struct settings *settings,
                       const struct selection *selection) PEG_MUST_USE;

/*
 * Flush all after lookups could not be answered, with new queue managers: the old ones go on
 * deferring. They are replaced by a reload, which leaves deliveries alone that are under way; a
 * stop would break them off, and some of that mail would arrive twice.
 */
bool retry_lookups(const struct settings *settings) PEG_MUST_USE;

/* The queue manager of a running Postfix, by the process id of its master; 0: there is none now. */
pid_t retry_queue_manager(pid_t master) PEG_MUST_USE;

#endif
