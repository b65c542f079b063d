/*
 * daemon - what every daemon does around its work: detach, pid file, readiness, privileges
 *
 * Order in a daemon: daemon_detach() (unless -f), log_open(), daemon_pid_file(), open what needs
 * root, daemon_drop_privileges(), daemon_ready(), work.
 */
#ifndef PEG_DAEMON_H
#define PEG_DAEMON_H

#include <stdbool.h>

#include "lib/attr.h"

/*
 * Go to the background. The calling process stays until the child says daemon_ready(), and then
 * exits 0, so that who starts a daemon may use it at once; it exits 1 where the child ends before.
 * Returns in the child only. Errors of the child still go to stderr until daemon_ready(). A service
 * manager that waits for a word of this process (lib/notify.h) hears none: it wants -f.
 */
void daemon_detach(void);

/* Say that requests are served from now on, to who started this process and the service manager. */
void daemon_ready(void);

#define DAEMON_BEFORE_SUFFIX ".before"

/*
 * Write the process id into path, and hold a lock on it until this process ends. As root the file
 * is given to user, who may be the one to start the next process. PATH.before is made anew, which
 * tells when this process was started, and gets the time of the file that was there: 1970 where
 * there was none (part_away_ms() in admin/part.h). Returns false, and says why in the log,
 * where another process holds the lock or the file cannot be made.
 */
bool daemon_pid_file(const char *path, const char *user) PEG_MUST_USE;

/* Say once a second that this process is alive: the time of the pid file, written again, tells the
 * next one when this one ended. */
void daemon_alive(void);

/*
 * Make a folder that belongs to user and group with exactly this mode, or check that an existing
 * one does; parents are made as needed. group NULL: the user's own. What a link leads to stays as
 * it is, also where user can put links in place of the folder. As a user who is not root it only
 * makes the folder. Returns false after logging why.
 */
bool daemon_folder(const char *path, const char *user, const char *group,
                   unsigned mode) PEG_MUST_USE;

/*
 * Become user for ever, with its own group and, where group is not NULL, that one supplementary
 * group; and prove that it is so and that root cannot be had back. A process that is not root stays
 * who it is, in the groups that it has. In any case no program that it runs gets more rights than
 * it has itself (PR_SET_NO_NEW_PRIVS): set-user-id and set-group-id bits are without effect. Only
 * threads that are started afterwards are bound by that. Returns false after logging why; the
 * process must then end.
 */
bool daemon_drop_privileges(const char *user, const char *group) PEG_MUST_USE;

/*
 * The same, but keep one of root's rights, such as CAP_DAC_READ_SEARCH, and prove that there is no
 * other one. A process that is not root keeps it if it has it, and loses all others.
 */
bool daemon_drop_privileges_but(const char *user, const char *group, int capability) PEG_MUST_USE;

#endif
