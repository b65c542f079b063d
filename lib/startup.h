/*
 * startup - the first steps of a daemon of this gateway: its log, its run folder and pid file, and
 * the note of what it was started with
 */
#ifndef PEG_STARTUP_H
#define PEG_STARTUP_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/settings.h"

/*
 * Choose where log lines go: stderr in the foreground, else the gateway's own log below --root,
 * else syslog. To the journal of a service manager they go by syslog as well, so that facility and
 * severity come with them. Returns false, after saying why, where the log cannot be opened.
 */
bool startup_log(const char *program, const struct settings *settings,
                 bool foreground) PEG_MUST_USE;

/* A daemon cannot start, and has said why in its log: tell who started it to look there. */
void startup_refused(const char *program, bool foreground);

/*
 * Make the run folder, which belongs to DAEMON_USER, and the locked pid file PROGRAM.pid in it; the
 * note of the process before this one (see below) goes. Needs root, unless the folder is there.
 * Returns false after logging why.
 */
bool startup_pid_file(const char *program, const struct settings *settings) PEG_MUST_USE;

/* Make the folder of the journal and the snapshot, which belongs to DAEMON_USER. As above. */
bool startup_store(const struct settings *settings) PEG_MUST_USE;

/*
 * Whether the user that the process has become can read a file, since a reload must not be the
 * first to find out. Returns false after logging why.
 */
bool startup_can_read(const struct settings *settings, const char *below_root) PEG_MUST_USE;

/*
 * Give this process the nice level of a parameter, and its session where it leads one: it shares
 * another with strangers, such as a shell in the foreground. No threads may run yet: on Linux each
 * has a level of its own, which it inherits. Where that is not permitted the log has a warning.
 */
void startup_nice(const char *parameter, int level);

/*
 * Make room for wanted connections among the open files of this process (RLIMIT_NOFILE), as root
 * beyond the hard limit. Returns wanted, or how many fit, with a warning in the log that names the
 * parameter. Call it before privileges are dropped.
 */
int startup_fit_connections(const char *parameter, int wanted);

/*
 * The group that the frontend's smtpd runs in: that of its mail_owner, who owns its data folder.
 * false: there is no such folder yet, or its owner has no group.
 */
enum { STARTUP_GROUP_SIZE = 256 };
bool startup_frontend_group(const struct settings *settings,
                            char group_r[STARTUP_GROUP_SIZE]) PEG_MUST_USE;

/*
 * Parameters that a reload does not change in this program: one table in startup_restart.c names
 * them all. What it was started with stands in PROGRAM.started beside the pid file, a line
 * NAME=value each.
 */

/* Remove the note of a process that has ended. */
void startup_forget_note(const struct settings *settings, const char *program);

/* Note them; before the daemon says that it is ready, and as the user that it has become. Where
 * that fails the log says so, and the next change of any parameter restarts it. */
void startup_note(const struct settings *settings, const char *program);

/*
 * Whether the program, which runs, was started with other values than these settings have. Also
 * where it left no note that can be read, since it is of an older version then.
 */
bool startup_needs_restart(const struct settings *settings, const char *program) PEG_MUST_USE;

/* At a reload: warn in the log of each parameter that has changed and waits for a restart. */
void startup_warn_of_restart(const struct settings *settings, const char *program);

#endif
