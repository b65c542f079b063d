/* control - start, stop and reload the parts of a gateway, several at once */
#include "gen/control.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "gen/control_batch.h"
#include "gen/ports.h"
#include "gen/retry.h"
#include "lib/clock.h"
#include "lib/reload_note.h"

enum {
    STOP_TIMEOUT_MS = 30000, /* peg-milter may be waiting for its disk */
    RELOAD_TIMEOUT_MS = 10000,
    POLL_MS = 10,
    LOOKUPS_TRIED_MS = 7000 /* at the least */
};

static bool is_daemon(const struct part *part)
{
    return part->kind == PART_MILTER || part->kind == PART_TCPMAP;
}

/* 1, 0, or -1 after saying that it cannot be told. */
static int runs(const struct part *part, pid_t *pid_r)
{
    int result = part_runs(part, pid_r);

    if (result < 0)
        fprintf(stderr, "%s: cannot tell whether %s runs: %m\n", part->pid_file, part->name);
    return result;
}

/* Start those parts of a kind that do not run. started_r counts them. */
static bool start_kind(const struct settings *settings, const struct selection *selection,
                       enum part_kind kind, size_t *started_r)
{
    struct batch batch = {0};
    bool good = true;

    for (size_t i = 0; i < selection->count; i++) {
        const struct part *part = selection->items[i];

        if (part->kind != kind)
            continue;
        int running = runs(part, NULL);

        if (running == 0) {
            if (!ports_are_free(settings, part)) {
                good = false;
                continue;
            }
            good = batch_start(&batch, settings, part) && good;
            ++*started_r;
        } else if (running < 0) {
            good = false;
        }
    }
    return batch_finish(&batch) && good;
}

/* Whether lookups have failed: Postfix tries ten times, once a second (src/util/dict_tcp.c). */
static bool lookups_failed(const struct selection *selection)
{
    for (size_t i = 0; i < selection->count; i++)
        if (selection->items[i]->kind == PART_TCPMAP)
            return part_away_ms(selection->items[i], clock_wall_ms()) > LOOKUPS_TRIED_MS;
    return false;
}

bool control_start(const struct settings *settings, const struct selection *selection)
{
    size_t started[PART_FRONTEND + 1] = {0};
    bool have_failed = lookups_failed(selection);
    bool good = true;

    /* Without a daemon mail would go by the default priority, or wait: rather let its senders keep
     * it until the operator has seen why. One instance that is away holds up its own mail alone. */
    for (int kind = PART_MILTER; kind <= PART_TCPMAP; kind++)
        good = start_kind(settings, selection, (enum part_kind)kind, &started[kind]) && good;
    if (!good) {
        fprintf(stderr, "nothing else is started\n");
        return false;
    }
    for (int kind = PART_INSTANCE; kind <= PART_FRONTEND; kind++)
        good = start_kind(settings, selection, (enum part_kind)kind, &started[kind]) && good;
    if (started[PART_TCPMAP] > 0 && started[PART_FRONTEND] == 0 && have_failed)
        good = retry_lookups(settings) && good;
    else if (started[PART_INSTANCE] + started[PART_FRONTEND] > 0)
        good = retry_deferred(settings) && good;
    return good;
}

/* Wait until a daemon of ours that got SIGTERM is gone. */
static bool await_end(const struct part *part, pid_t pid)
{
    for (int waited_ms = 0; waited_ms < STOP_TIMEOUT_MS; waited_ms += POLL_MS) {
        if (part_runs(part, NULL) == 0)
            return true;
        clock_sleep_ms(POLL_MS);
    }
    fprintf(stderr,
            "%s (pid %ld) has not ended %d s after SIGTERM; look into the log, or end it "
            "with SIGKILL\n",
            part->name, (long)pid, STOP_TIMEOUT_MS / 1000);
    return false;
}

static bool stop_daemons(const struct selection *selection)
{
    pid_t pids[SETTINGS_PRIORITY_MAX + 3] = {0};
    bool good = true;

    for (size_t i = 0; i < selection->count; i++) {
        const struct part *part = selection->items[i];
        int running = is_daemon(part) ? runs(part, &pids[i]) : 0;

        if (running == 1 && kill(pids[i], SIGTERM) != 0 && errno != ESRCH) {
            fprintf(stderr, "%s (pid %ld) cannot be stopped: %m\n", part->name, (long)pids[i]);
            pids[i] = 0;
            good = false;
        }
        good = good && running >= 0;
    }
    for (size_t i = 0; i < selection->count; i++)
        if (pids[i] > 0)
            good = await_end(selection->items[i], pids[i]) && good;
    return good;
}

/* Run `postfix COMMAND` for the parts of a kind that run. */
static bool command_kind(const struct selection *selection, enum part_kind kind,
                         const char *command)
{
    struct batch batch = {0};
    bool good = true;

    for (size_t i = 0; i < selection->count; i++) {
        const struct part *part = selection->items[i];
        int running = part->kind == kind ? runs(part, NULL) : 0;

        if (running == 1)
            good = batch_command(&batch, part, command) && good;
        good = good && running >= 0;
    }
    return batch_finish(&batch) && good;
}

bool control_stop(const struct selection *selection)
{
    bool good = command_kind(selection, PART_FRONTEND, "stop");

    good = command_kind(selection, PART_INSTANCE, "stop") && good;
    return stop_daemons(selection) && good;
}

static int nice_wanted(const struct part *part)
{
    return settings_nice_level(part->nice_level);
}

bool control_nice_differs(const struct part *part)
{
    pid_t pid;

    return !is_daemon(part) && part_runs(part, &pid) == 1 &&
           getpriority(PRIO_PROCESS, (id_t)pid) != nice_wanted(part);
}

/* All processes of a Postfix are in the process group of its master. */
static bool set_nice(const struct part *part)
{
    pid_t pid;

    if (part_runs(part, &pid) != 1 || setpriority(PRIO_PGRP, (id_t)pid, nice_wanted(part)) == 0 ||
        errno == ESRCH)
        return true;
    fprintf(stderr, "%s (pid %ld): the nice level cannot be set: %m\n", part->name, (long)pid);
    return false;
}

/* Tell a daemon, and wait until it says that it has read its configuration. */
static bool reload_daemon(const struct settings *settings, const struct part *part, pid_t pid)
{
    struct reload_note before = {.count = 0};
    struct reload_note after;
    bool had = reload_note_read(settings, part->name, &before);

    if (kill(pid, SIGUSR1) != 0) {
        fprintf(stderr, "%s (pid %ld) cannot be told to reload: %m\n", part->name, (long)pid);
        return false;
    }
    for (int waited_ms = 0; waited_ms < RELOAD_TIMEOUT_MS; waited_ms += POLL_MS) {
        if (reload_note_read(settings, part->name, &after) &&
            (!had || after.pid != before.pid || after.count != before.count)) {
            if (!after.taken)
                fprintf(stderr, "%s: keeps its old configuration; the log says what is wrong\n",
                        part->name);
            return after.taken;
        }
        clock_sleep_ms(POLL_MS);
    }
    fprintf(stderr, "%s (pid %ld) has not reloaded %d s after it was told to; look into the log\n",
            part->name, (long)pid, RELOAD_TIMEOUT_MS / 1000);
    return false;
}

bool control_reload(const struct settings *settings, const struct selection *selection)
{
    bool good = true;

    for (size_t i = 0; i < selection->count; i++) {
        const struct part *part = selection->items[i];
        pid_t pid;
        int running = runs(part, &pid);

        if (running < 0) {
            good = false;
        } else if (!is_daemon(part)) {
            good = set_nice(part) && good;
        } else if (running == 1) {
            good = reload_daemon(settings, part, pid) && good;
        }
    }
    good = command_kind(selection, PART_INSTANCE, "reload") && good;
    return command_kind(selection, PART_FRONTEND, "reload") && good;
}

bool control_status(const struct selection *selection)
{
    bool all = true;

    for (size_t i = 0; i < selection->count; i++) {
        const struct part *part = selection->items[i];
        pid_t pid;
        int running = part_runs(part, &pid);

        if (running == 1)
            printf("%s running (pid %ld)\n", part->name, (long)pid);
        else if (running == 0)
            printf("%s not running\n", part->name);
        else
            printf("%s unknown: %s: %m\n", part->name, part->pid_file);
        all = all && running == 1;
    }
    return all;
}
