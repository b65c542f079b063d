/*
 * ask_server - peg-monitor answers those who may not look at the queues themselves
 *
 * One thread talks to all clients, a bounded number of them, and one more for each survey_detail
 * looks at the queues, so that neither a client nor a long look holds up another client, or the
 * round of figures. Those that come beyond wait to be taken; who may connect is decided by
 * survey/ask_socket.h.
 */
#ifndef PEG_ASK_SERVER_H
#define PEG_ASK_SERVER_H

#include "lib/attr.h"
#include "monitor/ask_walker.h"

struct ask_server;

/*
 * Serve those who connect to listen_fd, which is the server's from now on. Signals that the threads
 * are not to get are blocked by the caller. source->arg is borrowed until the stop. Returns NULL,
 * with errno, where no threads can be started.
 */
struct ask_server *ask_server_start(int listen_fd, const struct ask_source *source) PEG_MUST_USE;

/* End it at once, with looks and clients under way. *server becomes NULL; it may be. */
void ask_server_stop(struct ask_server **server);

#endif
