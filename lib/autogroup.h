/*
 * autogroup - the nice level of a session: Linux groups processes by session (sched(7), "The
 * autogroup feature"), and a nice level counts only within the group; between groups only theirs do
 *
 * Groups of the cpu controller (cgroups(7)) take the place of sessions where processes are in one:
 * what is set here does no harm then.
 */
#ifndef PEG_AUTOGROUP_H
#define PEG_AUTOGROUP_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/attr.h"

/*
 * The level of the session that a process leads. false: it leads none, so that what is in its
 * session is not ours alone; or it is gone; or the kernel has no such groups, or does not go by
 * them (kernel.sched_autogroup_enabled=0).
 */
bool autogroup_get(pid_t pid, int *level_r) PEG_MUST_USE;

/*
 * Give the session that a process leads this level, -20 to 19; nothing is to be done where
 * autogroup_get() has no answer, or has that level. One below 0 is root's. Returns false with
 * errno. May take ten seconds where many do it at once, since those without CAP_SYS_ADMIN have to
 * take turns.
 */
bool autogroup_set(pid_t pid, int level) PEG_MUST_USE;

/* The same for a file such as /proc/PID/autogroup, whosever it is. */
bool autogroup_read(const char *path, int *level_r) PEG_MUST_USE;
bool autogroup_write(const char *path, int level) PEG_MUST_USE;

#endif
