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
    RUN_MAX_MS = 60 * 60 * 1000, /* a million queued messages take minutes */
    PAUSE_MIN_MS = 10 * 1000,
    PAUSE_MAX_MS = 60 * 60 * 1000,
    PAUSE_FACTOR = 20,          /* at most this part of the time is spent on it */
    FAILED_PAUSE_MS = 60 * 1000 /* Postfix may be stopped; the log has the reason */
};

struct tidying {
    struct tidying_config config;
    struct event *tick;
    struct event *child_ended;
    pid_t pid;    /* 0: none runs */
    bool is_owed; /* the last one did not come to its end */
    int64_t started_ms;
    int64_t not_before_ms;
};

/* Returns an errno. */
static int spawn(pid_t *pid_r, char *const argv[])
{
    extern char **environ;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int error;

    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    /* It runs as DAEMON_USER, who may not open our log; with syslog this changes nothing. */
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, log_descriptor(), STDERR_FILENO);
    error = posix_spawn(pid_r, argv[0], &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}

static void start(struct tidying *tidying)
{
    char program[PATH_MAX], tidy[] = "tidy", log[] = "--log", root_option[] = "--root";
    char *root = strdup(tidying->config.root);
    char *argv[6] = {program, tidy};
    size_t count = 2;
    int error = ENOENT;

    if (tidying->config.to_log)
        argv[count++] = log;
    if (root != NULL && *root != '\0') {
        argv[count++] = root_option;
        argv[count++] = root;
    }
    if (root != NULL && beside_program("peg-decisions", program))
        error = spawn(&tidying->pid, argv);
    free(root);
    tidying->started_ms = clock_boot_ms();
    if (error != 0) {
        tidying->pid = 0;
        tidying->not_before_ms = tidying->started_ms + FAILED_PAUSE_MS;
        log_warn("cannot start peg-decisions: %s; no decision is forgotten meanwhile",
                 strerror(error));
    }
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct tidying *tidying = arg;

    (void)fd, (void)what;
    if (tidying->pid != 0 && clock_boot_ms() - tidying->started_ms > RUN_MAX_MS)
        kill(tidying->pid, SIGKILL); /* Postfix does not answer it */
    else if (tidying->pid == 0 && clock_boot_ms() >= tidying->not_before_ms &&
             (tidying->is_owed || tidying->config.wanted(tidying->config.arg)))
        start(tidying);
}

static void on_child_ended(evutil_socket_t number, short what, void *arg)
{
    struct tidying *tidying = arg;
    int64_t now_ms = clock_boot_ms();
    int64_t pause_ms = (now_ms - tidying->started_ms) * PAUSE_FACTOR;
    int status;

    (void)number, (void)what;
    if (tidying->pid == 0 || waitpid(tidying->pid, &status, WNOHANG) != tidying->pid)
        return;
    tidying->pid = 0;
    tidying->is_owed = WIFSIGNALED(status); /* it takes note of what is wanted when it begins */
    if (pause_ms < (status == 0 ? PAUSE_MIN_MS : FAILED_PAUSE_MS))
        pause_ms = status == 0 ? PAUSE_MIN_MS : FAILED_PAUSE_MS;
    tidying->not_before_ms = now_ms + (pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS);
    if (WIFSIGNALED(status)) /* of all else it has told the log itself */
        log_warn("peg-decisions was ended by signal %d", WTERMSIG(status));
}

struct tidying *tidying_new(struct event_base *base, const struct tidying_config *config)
{
    static const struct timeval second = {.tv_sec = 1};
    struct tidying *tidying = calloc(1, sizeof *tidying);

    if (tidying == NULL)
        return NULL;
    tidying->config = *config;
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
