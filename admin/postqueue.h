/*
 * postqueue - Postfix's program that lists the queue: where it is, and who may use it
 *
 * It connects to a socket in the queue's folder `public`, which only the group setgid_group may
 * enter. Its set-group-id bit gives that to everybody; but a process that gave up such rights
 * (lib/daemon.h) has to be in that group itself.
 */
#ifndef PEG_POSTQUEUE_H
#define PEG_POSTQUEUE_H

#include <limits.h>
#include <stdbool.h>

#include "lib/attr.h"
#include "lib/settings.h"

enum { POSTQUEUE_GROUP_SIZE = 256 };

/* Find the program in PATH, and then in /usr/sbin, which is not in the PATH of every user. */
bool postqueue_find(char path_r[PATH_MAX]) PEG_MUST_USE;

/*
 * Find the name of the group that has access to a queue: that of queue_dir/public; where Postfix
 * has not made that yet, that of the program. Returns false where neither says.
 */
bool postqueue_group(const char *queue_dir, char group_r[POSTQUEUE_GROUP_SIZE]) PEG_MUST_USE;

/*
 * Become DAEMON_USER for ever (lib/daemon.h), in that group where it is known. Returns false after
 * logging why.
 */
bool postqueue_drop_privileges(const struct settings *settings) PEG_MUST_USE;

#endif
