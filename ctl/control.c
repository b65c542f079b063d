/* control - start, stop and reload the parts of a gateway, several at once */
#include "ctl/control.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "ctl/control_batch.h"
#include "ctl/cpu_share.h"
#include "ctl/ports.h"
#include "ctl/retry.h"
#include "ctl/service_manager.h"
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
    return part->dir == NULL;
}

/* Whether mail needs it to find its way. */
static bool decides(const struct part *part)
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

/* Those parts of a kind that do not run. False where that cannot be told of one. */
static bool choose_stopped(const struct selection *selection, enum part_kind first,
                           enum part_kind last, struct selection *stopped_r)
{
    bool good = true;

    for (size_t i = 0; i < selection->count; i++) {
        const struct part *part = selection->items[i];
        int running = part->kind >= first && part->kind <= last ? runs(part, NULL) : 1;

        if (running == 0)
            stopped_r->items[stopped_r->count++] = part;
        good = good && running >= 0;
    }
    return good;
}

/* Start those parts of a kind that do not run, and add them to *started. */
static bool start_kind(const struct settings *settings, const struct selection *selection,
                       enum part_kind kind, struct selection *started)
{
    struct batch batch = {0};
    size_t first = started->count;
    bool good = choose_stopped(selection, kind, kind, started);

    for (size_t i = first; i < started->count; i++)
        good = ports_are_free(settings, started->items[i]) &&
               batch_start(&batch, settings, started->items[i]) && good;
    return batch_finish(&batch) && good;
}

/*
 * Without a daemon mail would go by the default priority, or wait: rather let its senders keep it
 * until the operator has seen why. One instance that is away holds up its own mail alone.
 */
static bool start_daemons(const struct settings *settings, const struct selection *selection,
                          struct selection *started)
{
    bool good = true;

    for (int kind = PART_MILTER; kind <= PART_TCPMAP; kind++)
        good = start_kind(settings, selection, (enum part_kind)kind, started) && good;
    if (!good)
        fprintf(stderr, "nothing else is started\n");
    return good;
}

static bool start_others(const struct settings *settings, const struct selection *selection,
                         struct selection *started)
{
    bool good = true;

    for (int kind = PART_INSTANCE; kind <= PART_MONITOR; kind++)
        good = start_kind(settings, selection, (enum part_kind)kind, started) && good;
    cpu_share_set_sessions(started);
    return good;
}

static bool start_managed(const struct selection *selection)
{
    struct selection stopped = {.whole = selection->whole};
    bool good = choose_stopped(selection, PART_MILTER, PART_MONITOR, &stopped);

    return service_manager_start(&stopped) && good;
}

bool control_start(const struct settings *settings, const struct selection *selection)
{
    struct selection started = {.count = 0};
    bool good;

    if (service_manager_is_used(settings))
        return start_managed(selection);
    if (!start_daemons(settings, selection, &started))
        return false;
    good = start_others(settings, selection, &started);
    return control_recovered(settings, &started) && good;
}

static bool has_kind(const struct selection *selection, enum part_kind kind)
{
    for (size_t i = 0; i < selection->count; i++)
        if (selection->items[i]->kind == kind)
            return true;
    return false;
}

static void say_not_started(const struct selection *selection, const char *daemon)
{
    for (size_t i = 0; i < selection->count; i++)
        if (selection->items[i]->kind == PART_FRONTEND)
            fprintf(stderr, "%s is not started while %s does not run\n", selection->items[i]->name,
                    daemon);
}

/* Whether both daemons run, where they have to: before a frontend starts. */
static bool frontend_may_start(const struct settings *settings, const struct selection *selection)
{
    struct parts parts;
    bool may = true;

    if (!has_kind(selection, PART_FRONTEND))
        return true;
    parts_init(&parts, settings);
    for (size_t i = 0; i < parts.count; i++)
        if (decides(&parts.items[i]) && runs(&parts.items[i], NULL) != 1) {
            say_not_started(selection, parts.items[i].name);
            may = false;
        }
    parts_deinit(&parts);
    return may;
}

bool control_start_directly(const struct settings *settings, const struct selection *selection)
{
    struct selection started = {.count = 0};

    return start_daemons(settings, selection, &started) &&
           frontend_may_start(settings, selection) && start_others(settings, selection, &started);
}

/* Whether lookups have failed: Postfix tries ten times, once a second (src/util/dict_tcp.c). */
static bool lookups_failed(const struct selection *started)
{
    for (size_t i = 0; i < started->count; i++)
        if (started->items[i]->kind == PART_TCPMAP)
            return part_away_ms(started->items[i]) > LOOKUPS_TRIED_MS;
    return false;
}

/* Whether a frontend has run all the time, with a queue manager to which lookups have failed. */
static bool has_older_frontend(const struct settings *settings, const struct selection *started)
{
    for (int n = PEG_FIRST; settings_is_frontend(n); n++)
        if (settings_has(settings, n) && !selection_has(started, n))
            return true;
    return false;
}

bool control_recovered(const struct settings *settings, const struct selection *started)
{
    if (lookups_failed(started) && has_older_frontend(settings, started))
        return retry_lookups(settings);
    if (has_kind(started, PART_INSTANCE))
        return retry_deferred(settings);
    return !has_kind(started, PART_FRONTEND) || retry_deferred_of(settings, started);
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

static bool stop_daemons(const struct selection *selection, enum part_kind first,
                         enum part_kind last)
{
    pid_t pids[PARTS_MAX] = {0};
    bool good = true;

    for (size_t i = 0; i < selection->count; i++) {
        const struct part *part = selection->items[i];
        int running = part->kind >= first && part->kind <= last ? runs(part, &pids[i]) : 0;

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

/* First who would tell that the others are down. */
bool control_stop_directly(const struct selection *selection)
{
    bool good = stop_daemons(selection, PART_MONITOR, PART_MONITOR);

    good = command_kind(selection, PART_FRONTEND, "stop") && good;
    good = command_kind(selection, PART_INSTANCE, "stop") && good;
    return stop_daemons(selection, PART_MILTER, PART_TCPMAP) && good;
}

/* What systemd has not started it does not stop. */
bool control_stop(const struct settings *settings, const struct selection *selection)
{
    bool good = !service_manager_is_used(settings) || service_manager_stop(selection);

    return control_stop_directly(selection) && good;
}

/*
 * Tell a daemon, and wait until it says that it has read its configuration. peg-monitor may be busy
 * counting, and nobody relies on what it reads.
 */
static bool reload_daemon(const struct settings *settings, const struct part *part, pid_t pid)
{
    struct reload_note before = {.count = 0};
    struct reload_note after;
    bool had = reload_note_read(settings, part->name, &before);

    if (kill(pid, SIGUSR1) != 0) {
        fprintf(stderr, "%s (pid %ld) cannot be told to reload: %m\n", part->name, (long)pid);
        return false;
    }
    if (!decides(part))
        return true;
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
            good = cpu_share_set_processes(part) && good;
        } else if (running == 1) {
            good = reload_daemon(settings, part, pid) && good;
        }
    }
    cpu_share_set_sessions(selection);
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
