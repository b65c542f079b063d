/* listen - what a server needs before it serves: listening sockets */
#include "tcpmap/listen.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/notify.h"

int listen_open(const char *host, int port)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *address;
    char service[16];
    int on = 1;
    int error;
    int fd;

    snprintf(service, sizeof service, "%d", port);
    error = getaddrinfo(host, service, &hints, &address);
    if (error != 0) {
        log_error("TCPMAP_LISTEN: %s: %s; it must be a numeric address", host, gai_strerror(error));
        return -1;
    }
    fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0) {
        log_error("cannot listen on %s port %d: %m", host, port);
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(address);
    return fd;
}

/* The address and port of a socket, in numbers. */
static bool name_of(int fd, char host_r[NI_MAXHOST], char port_r[NI_MAXSERV])
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;

    return getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
           getnameinfo((const struct sockaddr *)&address, len, host_r, NI_MAXHOST, port_r,
                       NI_MAXSERV, NI_NUMERICHOST | NI_NUMERICSERV) == 0;
}

static bool has_port(const struct listen_set *set, int port)
{
    char host[NI_MAXHOST], name[NI_MAXSERV];

    for (size_t i = 0; i < set->count; i++)
        if (name_of(set->fds[i], host, name) && atoi(name) == port)
            return true;
    return false;
}

bool listen_set_open(struct listen_set *set, const char *host, int port)
{
    char text[LISTEN_SET_TEXT_SIZE];
    int fd;

    if (!notify_listen_fds(set->fds, SERVER_LISTEN_MAX, &set->count))
        return false;
    set->inherited = set->count > 0;
    if (set->inherited && !has_port(set, port)) {
        listen_set_text(set, text);
        log_warn("TCPMAP_LISTEN says %s port %d, where Postfix asks, but the service manager's "
                 "sockets are %s",
                 host, port, text);
    }
    if (set->inherited)
        return true;
    fd = listen_open(host, port);
    if (fd >= 0)
        set->fds[set->count++] = fd;
    return fd >= 0;
}

void listen_set_text(const struct listen_set *set, char text_r[LISTEN_SET_TEXT_SIZE])
{
    char host[NI_MAXHOST], port[NI_MAXSERV];
    size_t len = 0;

    text_r[0] = '\0';
    for (size_t i = 0; i < set->count && len < LISTEN_SET_TEXT_SIZE; i++) {
        bool known = name_of(set->fds[i], host, port);
        int added = snprintf(text_r + len, LISTEN_SET_TEXT_SIZE - len, "%s%s port %s",
                             i > 0 ? " and " : "", known ? host : "?", known ? port : "?");

        len += added > 0 ? (size_t)added : 0;
    }
}

void listen_set_close(struct listen_set *set)
{
    while (set->count > 0)
        close(set->fds[--set->count]);
}
