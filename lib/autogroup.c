/* autogroup - the nice level of a session, where Linux groups processes by session */
#include "lib/autogroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/clock.h"

/* One of the whole machine may write every 100 ms: enough for all Postfixes and peg-milter. */
enum { PATH_SIZE = 64, TURNS = 1000, TURN_MS = 10 };

/* "/autogroup-123 nice -2"; empty where the kernel was booted with noautogroup. */
bool autogroup_read(const char *path, int *level_r)
{
    FILE *file = fopen(path, "re");
    int level;
    bool found = file != NULL && fscanf(file, "/autogroup-%*u nice %d", &level) == 1;

    if (found)
        *level_r = level;
    if (file != NULL)
        fclose(file);
    return found;
}

bool autogroup_write(const char *path, int level)
{
    char text[16];
    int len = snprintf(text, sizeof text, "%d\n", level);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool written = false;
    int error;

    if (fd < 0)
        return false;
    for (int turn = 0; turn < TURNS; turn++) {
        written = write(fd, text, (size_t)len) == len;
        if (written || errno != EAGAIN)
            break;
        clock_sleep_ms(TURN_MS);
    }
    error = errno;
    close(fd);
    errno = error;
    return written;
}

/* The files are there as well where sessions do not count. */
static bool sessions_count(void)
{
    FILE *file = fopen("/proc/sys/kernel/sched_autogroup_enabled", "re");
    bool count = file != NULL && fgetc(file) != '0';

    if (file != NULL)
        fclose(file);
    return count;
}

static void path_of(pid_t pid, char path_r[PATH_SIZE])
{
    snprintf(path_r, PATH_SIZE, "/proc/%ld/autogroup", (long)pid);
}

bool autogroup_get(pid_t pid, int *level_r)
{
    char path[PATH_SIZE];

    path_of(pid, path);
    return getsid(pid) == pid && sessions_count() && autogroup_read(path, level_r);
}

bool autogroup_set(pid_t pid, int level)
{
    char path[PATH_SIZE];
    int now;

    if (!autogroup_get(pid, &now) || now == level)
        return true;
    path_of(pid, path);
    return autogroup_write(path, level);
}
