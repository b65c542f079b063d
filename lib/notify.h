/*
 * notify - what a daemon and the service manager (systemd) say to each other
 *
 * Without libsystemd, and where no service manager listens, nothing is said and nothing comes.
 *
 * Threads: any one at a time.
 */
#ifndef PEG_NOTIFY_H
#define PEG_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"

/* Tell the service manager that requests are served, and that no more of them will be soon. */
void notify_ready(void);
void notify_stopping(void);

/* Whether what is written to stderr comes to the service manager's journal, and to nobody else. */
bool notify_has_journal(void) PEG_MUST_USE;

/* This process goes its own way: say no more to the service manager. No threads may run yet. */
void notify_leave(void);

/*
 * Take over the listening sockets that the service manager opened for this process (socket
 * activation), made non-blocking and close-on-exec; they are the caller's from now on. A second
 * call finds none. No threads may run yet. Returns false, and says why in the log, where they are
 * more than max, or one is no listening TCP socket.
 */
bool notify_listen_fds(int fds_r[], size_t max, size_t *count_r) PEG_MUST_USE;

#endif
