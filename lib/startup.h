/* startup - the first steps of a daemon of this gateway: its log, its run folder and pid file */
#ifndef PEG_STARTUP_H
#define PEG_STARTUP_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/settings.h"

/*
 * Choose where log lines go: stderr in the foreground, else the gateway's own log below --root,
 * else syslog. Returns false, after saying why, where the log cannot be opened.
 */
bool startup_log(const char *program, const struct settings *settings,
                 bool foreground) PEG_MUST_USE;

/*
 * Make the run folder, which belongs to DAEMON_USER, and the locked pid file PROGRAM.pid in it.
 * Needs root, unless the folder is there. Returns false after logging why.
 */
bool startup_pid_file(const char *program, const struct settings *settings) PEG_MUST_USE;

/* Make the folder of the journal and the snapshot, which belongs to DAEMON_USER. As above. */
bool startup_store(const struct settings *settings) PEG_MUST_USE;

/*
 * Whether the user that the process has become can read a file, since a reload must not be the
 * first to find out. Returns false after logging why.
 */
bool startup_can_read(const struct settings *settings, const char *below_root) PEG_MUST_USE;

#endif
