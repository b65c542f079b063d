/* tidying - start `peg-decisions tidy` when the decision table asks for it */
#include "tcpmap/tidying.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "lib/beside.h"
#include "lib/clock.h"
#include "lib/log.h"

enum {
    PAUSE_MIN_MS = 10 * 1000,
    PAUSE_FACTOR = 20, /* at most this part of the time is spent on it */
    SPAWN_FAILED_PAUSE_MS = 60 * 1000
};

struct tidying {
    const char *root;
    bool (*wanted)(void *arg);
    void *arg;
    struct event *tick;
    struct event *child_ended;
    pid_t pid; /* 0: none runs */
    int64_t started_ms;
    int64_t not_before_ms;
};

static int spawn(pid_t *pid_r, char *const argv[])
{
    extern char **environ;
    posix_spawnattr_t attributes;
    sigset_t none;
    int error;

    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    error = posix_spawn(pid_r, argv[0], NULL, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    return error;
}

static void start(struct tidying *tidying)
{
    char program[PATH_MAX], tidy[] = "tidy", log[] = "--log", root_option[] = "--root";
    char *root = strdup(tidying->root);
    char *argv[] = {program, tidy, log, root_option, root, NULL};
    int error = ENOENT;

    if (root != NULL && *root == '\0')
        argv[3] = NULL; /* the system itself */
    if (root != NULL && beside_program("peg-decisions", program))
        error = spawn(&tidying->pid, argv);
    free(root);
    tidying->started_ms = clock_boot_ms();
    if (error != 0) {
        tidying->pid = 0;
        tidying->not_before_ms = tidying->started_ms + SPAWN_FAILED_PAUSE_MS;
        log_warn("cannot start peg-decisions: %s: no decision is forgotten meanwhile",
                 strerror(error));
    }
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct tidying *tidying = arg;

    (void)fd, (void)what;
    if (tidying->pid == 0 && clock_boot_ms() >= tidying->not_before_ms &&
        tidying->wanted(tidying->arg))
        start(tidying);
}

static void on_child_ended(evutil_socket_t number, short what, void *arg)
{
    struct tidying *tidying = arg;
    int64_t now_ms = clock_boot_ms(), took_ms = now_ms - tidying->started_ms;
    int status;

    (void)number, (void)what;
    if (tidying->pid == 0 || waitpid(tidying->pid, &status, WNOHANG) != tidying->pid)
        return;
    tidying->pid = 0;
    tidying->not_before_ms =
        now_ms + (took_ms * PAUSE_FACTOR > PAUSE_MIN_MS ? took_ms * PAUSE_FACTOR : PAUSE_MIN_MS);
    if (WIFSIGNALED(status)) /* of all else it has told the log itself */
        log_warn("peg-decisions was ended by signal %d", WTERMSIG(status));
}

struct tidying *tidying_new(struct event_base *base, const char *root, bool (*wanted)(void *arg),
                            void *arg)
{
    static const struct timeval second = {.tv_sec = 1};
    struct tidying *tidying = calloc(1, sizeof *tidying);

    if (tidying == NULL)
        return NULL;
    tidying->root = root;
    tidying->wanted = wanted;
    tidying->arg = arg;
    tidying->tick = event_new(base, -1, EV_PERSIST, on_tick, tidying);
    tidying->child_ended = evsignal_new(base, SIGCHLD, on_child_ended, tidying);
    if (tidying->tick == NULL || tidying->child_ended == NULL ||
        event_add(tidying->tick, &second) != 0 || event_add(tidying->child_ended, NULL) != 0)
        tidying_free(&tidying);
    return tidying;
}

void tidying_free(struct tidying **tidying_ptr)
{
    struct tidying *tidying = *tidying_ptr;

    *tidying_ptr = NULL;
    if (tidying == NULL)
        return;
    if (tidying->tick != NULL)
        event_free(tidying->tick);
    if (tidying->child_ended != NULL)
        event_free(tidying->child_ended);
    free(tidying);
}
