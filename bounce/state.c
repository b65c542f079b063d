/* state - what the processes of peg-bounce for one Postfix know together */
#include "bounce/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log.h"

#define LIMIT_FILE "/limit"
#define NOTICE_FILE "/held-back"
#define NOTICE_NEW_FILE "/held-back.new"
#define WAITER_FILE "/waiter"

enum { NAME_ROOM = 32, MODE = 0600 };

/* dir has room for every name. */
static void name_file(const struct state *state, const char *name, char path_r[PATH_MAX])
{
    size_t len = strlen(state->dir);

    memcpy(path_r, state->dir, len);
    memcpy(path_r + len, name, strlen(name) + 1);
}

/* The descriptor of a locked file, or -1 with errno. */
static int lock_file(const struct state *state, const char *name, int operation)
{
    char path[PATH_MAX];
    int saved_errno;
    int fd;

    name_file(state, name, path);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, MODE);
    if (fd < 0 || flock(fd, operation) == 0)
        return fd;
    saved_errno = errno;
    close(fd);
    errno = saved_errno;
    return -1;
}

/* What makes no sense counts as the beginning. */
static void load(struct state *state)
{
    ssize_t len = pread(state->fd, &state->limit, sizeof state->limit, 0);

    if (len == (ssize_t)sizeof state->limit && call_limit_is_sound(&state->limit))
        return;
    if (len != 0)
        log_warn("%s" LIMIT_FILE ": damaged; what it counted is forgotten", state->dir);
    state->limit = (struct call_limit){.held_back = 0};
}

bool state_dir(const struct settings *settings, const char *name, char dir_r[PATH_MAX])
{
    char below_root[sizeof SETTINGS_BOUNCE_DIR + SETTINGS_NAME_SIZE];

    snprintf(below_root, sizeof below_root, SETTINGS_BOUNCE_DIR "/%.*s", SETTINGS_NAME_SIZE - 1,
             name);
    return settings_path(settings, below_root, dir_r) && strlen(dir_r) + NAME_ROOM <= PATH_MAX;
}

bool state_open(struct state *state_r, const struct settings *settings, const char *name)
{
    if (!state_dir(settings, name, state_r->dir)) {
        log_error("the path %s is too long; calls are not limited, and not counted",
                  settings->root);
        return false;
    }
    state_r->fd = lock_file(state_r, LIMIT_FILE, LOCK_EX);
    if (state_r->fd < 0) {
        log_error("%s: cannot be used: %m; calls are not limited, and not counted", state_r->dir);
        return false;
    }
    load(state_r);
    return true;
}

bool state_save(const struct state *state)
{
    ssize_t len = pwrite(state->fd, &state->limit, sizeof state->limit, 0);

    if (len == (ssize_t)sizeof state->limit)
        return true;
    log_error("%s" LIMIT_FILE ": cannot be written: %m; calls are not limited", state->dir);
    return false;
}

void state_close(struct state *state)
{
    close(state->fd);
}

void state_count(const struct state *state, const struct counts *more)
{
    int dir_fd = open(state->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (dir_fd < 0 || !counts_add(dir_fd, more))
        log_error("%s/" COUNTS_FILE ": cannot be written: %m; its figures fall behind", state->dir);
    if (dir_fd >= 0)
        close(dir_fd);
}

void state_count_closed(const struct settings *settings, const char *name,
                        const struct counts *more)
{
    struct state state;

    if (!state_open(&state, settings, name))
        return;
    state_count(&state, more);
    state_close(&state);
}

void state_keep_notice(const struct state *state, const char *notice, size_t len)
{
    char path[PATH_MAX], new_path[PATH_MAX];
    int fd;
    bool good;

    name_file(state, NOTICE_FILE, path);
    name_file(state, NOTICE_NEW_FILE, new_path);
    fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, MODE);
    good = fd >= 0 && file_write(fd, notice, len);
    if (fd >= 0 && close(fd) != 0)
        good = false;
    if (good && rename(new_path, path) == 0)
        return;
    log_error("%s: cannot be written: %m; this bounce is counted all the same", path);
    unlink(new_path);
    unlink(path);
}

char *state_take_notice(const struct state *state, size_t max_len, size_t *len_r)
{
    char path[PATH_MAX];
    char *notice;

    name_file(state, NOTICE_FILE, path);
    notice = file_read(path, max_len, len_r);
    if (notice == NULL)
        log_warn("%s: cannot be read: %m", path);
    unlink(path);
    return notice;
}

int state_lock_waiter(const struct state *state)
{
    int fd = lock_file(state, WAITER_FILE, LOCK_EX | LOCK_NB);

    if (fd < 0 && errno != EWOULDBLOCK)
        log_error("%s" WAITER_FILE ": cannot be used: %m; the next bounce makes up for it",
                  state->dir);
    return fd;
}
