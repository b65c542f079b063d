/* talk - a few bytes with a server, within a time limit for the whole conversation */
#include "doctor/talk.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"

/* Say why, and return false. */
static bool PEG_PRINTF(2, 3) fail(struct talk *talk, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(talk->why, sizeof talk->why, fmt, args);
    va_end(args);
    return false;
}

static void begin(struct talk *talk, long limit_ms)
{
    *talk = (struct talk){.fd = -1, .deadline_ms = clock_boot_ms() + limit_ms};
}

static bool await(struct talk *talk, short events)
{
    struct pollfd waiting = {.fd = talk->fd, .events = events};
    int64_t left_ms;
    int ready;

    do {
        left_ms = talk->deadline_ms - clock_boot_ms();
        ready = poll(&waiting, 1, left_ms > 0 ? (int)left_ms : 0);
    } while (ready < 0 && errno == EINTR);
    if (ready == 0)
        return fail(talk, "no answer in time");
    return ready > 0 || fail(talk, "poll: %s", strerror(errno));
}

static bool finish_connect(struct talk *talk)
{
    int error = 0;
    socklen_t size = sizeof error;

    if (!await(talk, POLLOUT))
        return false;
    if (getsockopt(talk->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    return error == 0 || fail(talk, "%s", strerror(error));
}

static bool connect_to(struct talk *talk, const struct sockaddr *address, socklen_t len)
{
    talk->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (talk->fd < 0)
        return fail(talk, "%s", strerror(errno));
    if (connect(talk->fd, address, len) == 0)
        return true;
    /* A unix socket whose backlog is full says EAGAIN, and there is nothing to wait for. */
    if (errno == EAGAIN)
        fail(talk, "it takes no more connections");
    else if (errno != EINPROGRESS)
        fail(talk, "%s", strerror(errno));
    else if (finish_connect(talk))
        return true;
    talk_close(talk);
    return false;
}

bool talk_inet(struct talk *talk, const char *host, int port, long limit_ms)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses;
    char number[16];
    bool connected = false;
    int error;

    begin(talk, limit_ms);
    snprintf(number, sizeof number, "%d", port);
    error = getaddrinfo(host, number, &hints, &addresses);
    if (error != 0)
        return fail(talk, "%s", gai_strerror(error));
    for (const struct addrinfo *a = addresses; !connected && a != NULL; a = a->ai_next)
        connected = connect_to(talk, a->ai_addr, a->ai_addrlen);
    freeaddrinfo(addresses);
    return connected;
}

bool talk_unix(struct talk *talk, const char *path, long limit_ms)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    begin(talk, limit_ms);
    if (strlen(path) >= sizeof address.sun_path)
        return fail(talk, "the name of the socket is too long");
    strcpy(address.sun_path, path);
    return connect_to(talk, (const struct sockaddr *)&address, sizeof address);
}

void talk_close(struct talk *talk)
{
    if (talk->fd >= 0)
        close(talk->fd);
    talk->fd = -1;
}

bool talk_send(struct talk *talk, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        ssize_t sent = send(talk->fd, at, len, MSG_NOSIGNAL);

        if (sent >= 0) {
            at += sent;
            len -= (size_t)sent;
        } else if (errno != EAGAIN && errno != EINTR) {
            return fail(talk, "%s", strerror(errno));
        } else if (!await(talk, POLLOUT)) {
            return false;
        }
    }
    return true;
}

/* Get more bytes into the buffer, which has room. */
static bool receive(struct talk *talk)
{
    for (;;) {
        ssize_t got = recv(talk->fd, talk->buffer + talk->len, sizeof talk->buffer - talk->len, 0);

        if (got > 0) {
            talk->len += (size_t)got;
            return true;
        }
        if (got == 0)
            return fail(talk, "the connection was closed");
        if (errno != EAGAIN && errno != EINTR)
            return fail(talk, "%s", strerror(errno));
        if (!await(talk, POLLIN))
            return false;
    }
}

static void take(struct talk *talk, size_t len)
{
    talk->len -= len;
    memmove(talk->buffer, talk->buffer + len, talk->len);
}

bool talk_read(struct talk *talk, void *bytes_r, size_t len)
{
    char *to = bytes_r;

    while (len > 0) {
        size_t part;

        if (talk->len == 0 && !receive(talk))
            return false;
        part = len < talk->len ? len : talk->len;
        memcpy(to, talk->buffer, part);
        take(talk, part);
        to += part;
        len -= part;
    }
    return true;
}

bool talk_line(struct talk *talk, char line_r[TALK_LINE_SIZE])
{
    const char *end;
    size_t len;

    while ((end = memchr(talk->buffer, '\n', talk->len)) == NULL) {
        if (talk->len == sizeof talk->buffer)
            return fail(talk, "a line too long");
        if (!receive(talk))
            return false;
    }
    len = (size_t)(end - talk->buffer);
    memcpy(line_r, talk->buffer, len);
    line_r[len] = '\0';
    take(talk, len + 1);
    if (len > 0 && line_r[len - 1] == '\r')
        line_r[len - 1] = '\0';
    return true;
}
