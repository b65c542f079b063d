/*
 * ask_socket - the socket where peg-monitor is asked, and the folder that keeps strangers out
 *
 * The folder (SETTINGS_MONITOR_DIR) belongs to DAEMON_USER and to MONITORING_GROUP, 2750, so that
 * the socket in it, 0660, has that group without peg-monitor being in it. Only root can make the
 * folder so, and does it before peg-monitor is another user.
 *
 * Not for concurrent use in threads: it looks up users and groups.
 */
#ifndef PEG_ASK_SOCKET_H
#define PEG_ASK_SOCKET_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/settings.h"

enum { ASK_SOCKET_GROUP_SIZE = 256 };

/*
 * Make the folder, or set its owner, group and mode right. Where there is no such group the log
 * says so, and root alone may enter. Returns false after logging why.
 */
bool ask_socket_place(const struct settings *settings) PEG_MUST_USE;

/*
 * Listen in it, non-blocking. What a peg-monitor that was killed has left there is replaced; what
 * is no socket, or one that somebody listens on, is not. No threads may run yet. Returns a
 * descriptor, or -1 after logging why.
 */
int ask_socket_listen(const struct settings *settings) PEG_MUST_USE;

/* Remove the socket. */
void ask_socket_remove(const struct settings *settings);

/* Connect to it, waiting for ten seconds at most, there and in each send(2). Returns a descriptor,
 * or -1 with errno. */
int ask_socket_connect(const struct settings *settings) PEG_MUST_USE;

/* The name of the group that may: the folder's or, where that is not there, the one it is to have.
 */
void ask_socket_group(const struct settings *settings, char group_r[ASK_SOCKET_GROUP_SIZE]);

#endif
