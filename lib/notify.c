/* notify - what a daemon and the service manager (systemd) say to each other */
#include "lib/notify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

bool notify_has_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM"); /* DEVICE:INODE, systemd.exec(5) */
    uintmax_t device, inode;
    struct stat status;

    return stream != NULL && sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

#ifdef HAVE_SYSTEMD

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "lib/log.h"

static void say(const char *state)
{
    int result = sd_notify(0, state);

    if (result < 0)
        log_warn("cannot tell the service manager %s: %s", state, strerror(-result));
}

void notify_ready(void)
{
    say("READY=1");
}

void notify_stopping(void)
{
    say("STOPPING=1");
}

void notify_leave(void)
{
    unsetenv("NOTIFY_SOCKET");
}

static bool is_tcp_listener(int fd)
{
    return sd_is_socket(fd, AF_INET, SOCK_STREAM, 1) > 0 ||
           sd_is_socket(fd, AF_INET6, SOCK_STREAM, 1) > 0;
}

bool notify_listen_fds(int fds_r[], size_t max, size_t *count_r)
{
    int count = sd_listen_fds(1); /* sets close-on-exec */

    if (count < 0) {
        log_error("sockets from the service manager: %s", strerror(-count));
        return false;
    }
    if ((size_t)count > max) {
        log_error("%d sockets from the service manager are too many: at most %zu", count, max);
        return false;
    }
    for (int i = 0; i < count; i++) {
        int fd = SD_LISTEN_FDS_START + i;
        int flags = fcntl(fd, F_GETFL);

        if (!is_tcp_listener(fd)) {
            log_error("file descriptor %d from the service manager is no listening TCP socket: "
                      "the socket unit needs ListenStream=ADDRESS:PORT",
                      fd);
            return false;
        }
        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
            log_error("file descriptor %d from the service manager: %m", fd);
            return false;
        }
        fds_r[i] = fd;
    }
    *count_r = (size_t)count;
    return true;
}

#else

void notify_ready(void)
{
}

void notify_stopping(void)
{
}

void notify_leave(void)
{
}

bool notify_listen_fds(int fds_r[], size_t max, size_t *count_r)
{
    (void)fds_r;
    (void)max;
    *count_r = 0;
    return true;
}

#endif
