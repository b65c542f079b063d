/*
 * listen - what a server needs before it serves: a listening socket, and enough open files
 */
#ifndef PEG_LISTEN_H
#define PEG_LISTEN_H

#include "lib/attr.h"

/*
 * Make a listening socket for a numeric IPv4 or IPv6 address (no brackets) and a port; port 0 picks
 * a free one. Returns the non-blocking descriptor, or -1 after logging why.
 */
int listen_open(const char *host, int port) PEG_MUST_USE;

/*
 * Make room for wanted connections among the open files of this process (RLIMIT_NOFILE), as root
 * beyond the hard limit. Returns wanted, or how many fit, with a warning in the log. Call it before
 * privileges are dropped.
 */
int listen_fit_limit(int wanted) PEG_MUST_USE;

#endif
