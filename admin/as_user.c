/* as_user - look at something as another user would see it, from a child process */
#include "admin/as_user.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/daemon.h"
#include "lib/file.h"

/* What a child says: the first byte is the result. */
static void PEG_NORETURN look_as(const char *user, const char *group,
                                 bool (*look)(void *arg, char text_r[AS_USER_TEXT_SIZE]), void *arg,
                                 int fd)
{
    char said[1 + AS_USER_TEXT_SIZE] = "0";
    bool good = daemon_drop_privileges(user, group);

    if (!good)
        snprintf(said + 1, AS_USER_TEXT_SIZE, "user %s cannot be had", user);
    else if (look(arg, said + 1))
        said[0] = '1';
    _exit(file_write(fd, said, 1 + strlen(said + 1)) ? 0 : 1);
}

/* Read to the end, which is there when the child has ended. Returns the length, or -1. */
static ssize_t hear(int fd, char *said, size_t size, long limit_ms)
{
    int64_t deadline_ms = clock_boot_ms() + limit_ms;
    size_t len = 0;

    for (;;) {
        struct pollfd waiting = {.fd = fd, .events = POLLIN};
        int64_t left_ms = deadline_ms - clock_boot_ms();
        ssize_t got;

        if (poll(&waiting, 1, left_ms > 0 ? (int)left_ms : 0) == 0)
            return -1;
        got = read(fd, said + len, size - len);
        if (got == 0)
            return (ssize_t)len;
        if (got > 0)
            len += (size_t)got;
        else if (errno != EINTR)
            return -1;
    }
}

bool as_user(const char *user, const char *group,
             bool (*look)(void *arg, char text_r[AS_USER_TEXT_SIZE]), void *arg, long limit_ms,
             char text_r[AS_USER_TEXT_SIZE])
{
    char said[1 + AS_USER_TEXT_SIZE];
    int ends[2];
    ssize_t len;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        snprintf(text_r, AS_USER_TEXT_SIZE, "pipe: %s", strerror(errno));
        return false;
    }
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        look_as(user, group, look, arg, ends[1]);
    close(ends[1]);
    len = pid > 0 ? hear(ends[0], said, sizeof said - 1, limit_ms) : -1;
    close(ends[0]);
    if (pid > 0) {
        kill(pid, SIGKILL); /* it has ended, or takes too long */
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (len < 1) {
        snprintf(text_r, AS_USER_TEXT_SIZE, "no answer within %ld s", limit_ms / 1000);
        return false;
    }
    said[len] = '\0';
    snprintf(text_r, AS_USER_TEXT_SIZE, "%s", said + 1);
    return said[0] == '1';
}
