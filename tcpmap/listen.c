/* listen - what a server needs before it serves: a listening socket, and enough open files */
#include "tcpmap/listen.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"

enum { OTHER_FILES = 32 }; /* log, table, sockets, libevent's own, with room to spare */

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

int listen_fit_limit(int wanted)
{
    const rlim_t need = (rlim_t)wanted + OTHER_FILES;
    struct rlimit have;
    struct rlimit more;
    int fits;

    if (getrlimit(RLIMIT_NOFILE, &have) != 0 || have.rlim_cur >= need)
        return wanted;
    more.rlim_cur = need;
    more.rlim_max = have.rlim_max > need ? have.rlim_max : need;
    if (setrlimit(RLIMIT_NOFILE, &more) == 0)
        return wanted;
    more.rlim_cur = more.rlim_max = have.rlim_max; /* only root may go beyond */
    if (setrlimit(RLIMIT_NOFILE, &more) == 0)
        have = more;
    fits = have.rlim_cur > OTHER_FILES ? (int)(have.rlim_cur - OTHER_FILES) : 1;
    log_warn("LIMIT_CONNECTIONS_TCPMAP: %d connections do not fit in %lu open files, serving %d; "
             "raise that limit (ulimit -Hn, or LimitNOFILE of the service)",
             wanted, (unsigned long)have.rlim_cur, fits);
    return fits;
}
