/*
 * idle_tcpmap - a tcp_table(5) server that looks nothing up
 *
 * Every request gets the same answer, on connections that have one under way each, as Postfix does
 * it. No server in one thread can be quicker on the same machine. It listens on 127.0.0.1.
 *
 * usage: idle_tcpmap PORT    (until SIGTERM)
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/bench.h"

enum { IN_SIZE = 8192, EVENTS_MAX = 128 };

static const char answer[] = "200 peg2:[127.0.0.1]:10029\n";

static int listen_on(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, SOMAXCONN) != 0)
        give_up("port %u: %s", port, strerror(errno));
    return fd;
}

/* Edge-triggered, as peg-tcpmap does it (README.md, "Lookups"). */
static void watch(int epoll, int fd, uint32_t how)
{
    struct epoll_event event = {.events = EPOLLIN | how, .data.fd = fd};

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        give_up("epoll_ctl: %s", strerror(errno));
}

static void take(int epoll, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), yes = 1;

    if (fd < 0)
        give_up("accept: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    watch(epoll, fd, EPOLLET);
}

static void serve(int fd)
{
    char in[IN_SIZE];
    ssize_t len = read(fd, in, sizeof in);

    if (len <= 0 || in[len - 1] != '\n' ||
        write(fd, answer, sizeof answer - 1) != (ssize_t)sizeof answer - 1)
        close(fd);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        give_up("usage: %s PORT", argv[0]);

    int listener = listen_on(number_of(argv[1])), epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[EVENTS_MAX];

    watch(epoll, listener, 0);
    for (;;) {
        int found = epoll_wait(epoll, events, EVENTS_MAX, -1);

        for (int n = 0; n < found; n++)
            if (events[n].data.fd == listener)
                take(epoll, listener);
            else
                serve(events[n].data.fd);
    }
}
