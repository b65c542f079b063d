/*
 * listen - what a server needs before it serves: listening sockets
 */
#ifndef PEG_LISTEN_H
#define PEG_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "tcpmap/server.h"

enum { LISTEN_SET_TEXT_SIZE = SERVER_LISTEN_MAX * 80 };

/* The listening sockets of a server; zero bytes are none. */
struct listen_set {
    int fds[SERVER_LISTEN_MAX];
    size_t count;
    bool inherited; /* from the service manager, which keeps them open when this process ends */
};

/*
 * Have the sockets that the service manager opened, whatever their addresses, or else one for host
 * and port, as listen_open(). Returns false after logging why.
 */
bool listen_set_open(struct listen_set *set, const char *host, int port) PEG_MUST_USE;

/* `ADDRESS port PORT`, joined by ` and `, as the kernel knows them. */
void listen_set_text(const struct listen_set *set, char text_r[LISTEN_SET_TEXT_SIZE]);

void listen_set_close(struct listen_set *set);

/*
 * Make a listening socket for a numeric IPv4 or IPv6 address (no brackets) and a port; port 0 picks
 * a free one. Returns the non-blocking descriptor, or -1 after logging why.
 */
int listen_open(const char *host, int port) PEG_MUST_USE;

#endif
