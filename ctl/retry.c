/* retry - have the frontends try again at once what they have deferred */
#include "ctl/retry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "admin/mem.h"
#include "admin/part.h"
#include "admin/proc.h"
#include "admin/process.h"
#include "ctl/control_batch.h"
#include "lib/clock.h"
#include "survey/queues.h"

enum {
    TIMEOUT_MS = 15000,
    RETRY_MS = 200,
    POLL_MS = 10,
    ROUND_MS = 1000,
    ROUNDS_MAX = 15,
    IN_VAIN_MAX = 2 /* rounds in a row */
};

/* The frontends that run, the urgent one first. */
struct retry {
    struct frontend {
        struct part part;
        char *queue_dir;
        pid_t master;
        pid_t manager;   /* the queue manager that is to go; 0: there is none */
        uint64_t before; /* what was deferred before the latest round */
        int in_vain;
        bool done;
    } items[SETTINGS_FRONTENDS_MAX];
    size_t count;
};

static bool find_queue_manager(void *arg, const struct proc *proc)
{
    pid_t *found = arg;

    if (strcmp(proc->name, "qmgr") == 0)
        *found = proc->pid;
    return *found == 0;
}

pid_t retry_queue_manager(pid_t master)
{
    pid_t found = 0;

    proc_each_of_group(master, find_queue_manager, &found);
    return found;
}

/*
 * A queue manager that is still waiting for the lookup server takes no more requests than its
 * backlog holds, and postqueue says then that the mail system is down. It tries once a second.
 */
static bool flush(const char *dir)
{
    const char *const argv[] = {"postqueue", "-c", dir, "-f", NULL};

    for (int waited_ms = 0;; waited_ms += RETRY_MS) {
        struct process process;
        char *out, *err;
        int status;

        if (!process_start(&process, argv, NULL))
            return false;
        status = process_finish(&process, &out, &err);
        bool is_over = status != EX_UNAVAILABLE || waited_ms >= TIMEOUT_MS;

        if (is_over && status != 0)
            process_report(argv, status, out, err);
        free(out);
        free(err);
        if (is_over)
            return status == 0;
        clock_sleep_ms(RETRY_MS);
    }
}

static bool flush_once(struct frontend *frontend)
{
    char why[QUEUES_WHY_SIZE];
    struct queue_counts counts;

    if (!flush(frontend->part.dir)) {
        frontend->done = true;
        return false;
    }
    if (!queues_count(frontend->queue_dir, &counts, why) ||
        counts.incoming + counts.active + counts.deferred == 0) {
        frontend->done = true;
        return true;
    }
    frontend->in_vain = counts.deferred < frontend->before ? 0 : frontend->in_vain + 1;
    frontend->before = counts.deferred;
    frontend->done = frontend->in_vain >= IN_VAIN_MAX;
    return true;
}

static bool is_done(const struct retry *retry)
{
    bool done = true;

    for (size_t i = 0; i < retry->count; i++)
        done = done && retry->items[i].done;
    return done;
}

/*
 * Once is not enough. A message whose delivery fails just now is deferred behind the back of the
 * queue run, and a run that was under way already goes on knowing its destination to be dead. So
 * each is asked again until nothing is left, or what is left does not become less. By turns: the
 * backlog of one must not keep the mail of the other waiting.
 */
static bool flush_all(struct retry *retry)
{
    bool good = true;

    for (int round = 0; round < ROUNDS_MAX && !is_done(retry); round++) {
        if (round > 0)
            clock_sleep_ms(ROUND_MS);
        for (size_t i = 0; i < retry->count; i++)
            if (!retry->items[i].done)
                good = flush_once(&retry->items[i]) && good;
    }
    return good;
}

static bool await_new_manager(const struct frontend *frontend)
{
    const struct part *part = &frontend->part;

    for (int waited_ms = 0; frontend->manager != 0 && waited_ms < TIMEOUT_MS;
         waited_ms += POLL_MS) {
        if (retry_queue_manager(frontend->master) != frontend->manager)
            return true;
        clock_sleep_ms(POLL_MS);
    }
    if (frontend->manager == 0)
        return true;
    fprintf(stderr,
            "%s: its queue manager (pid %ld) has not ended %d s after the reload; mail that it "
            "has deferred may wait for minutes: run postqueue -c %s -f when it has\n",
            part->name, (long)frontend->manager, TIMEOUT_MS / 1000, part->dir);
    return false;
}

/* Reload, and wait for the end of the queue managers: what they are asked to flush they would
 * defer. */
static bool replace_queue_managers(struct retry *retry)
{
    struct batch batch = {0};
    bool good = true;

    for (size_t i = 0; i < retry->count; i++) {
        struct frontend *frontend = &retry->items[i];

        frontend->manager = retry_queue_manager(frontend->master);
        good = batch_command(&batch, &frontend->part, "reload") && good;
    }
    good = batch_finish(&batch) && good;
    for (size_t i = 0; good && i < retry->count; i++)
        good = await_new_manager(&retry->items[i]);
    return good;
}

static void add(struct retry *retry, const struct settings *settings, int instance)
{
    struct frontend *frontend = &retry->items[retry->count];

    *frontend = (struct frontend){.before = UINT64_MAX};
    part_init_instance(&frontend->part, settings, instance);
    if (part_runs(&frontend->part, &frontend->master) != 1) {
        part_deinit(&frontend->part);
        return;
    }
    frontend->queue_dir = mem_printf("%s/var/spool/%s", settings->root, frontend->part.name);
    retry->count++;
}

/* selection NULL: all of them. */
static bool retry(const struct settings *settings, const struct selection *selection,
                  bool lookups_failed)
{
    struct retry retry = {.count = 0};
    bool good = true;

    for (int n = PEG_FIRST; settings_is_frontend(n); n++)
        if (settings_has(settings, n) && (selection == NULL || selection_has(selection, n)))
            add(&retry, settings, n);
    if (lookups_failed)
        good = replace_queue_managers(&retry);
    good = flush_all(&retry) && good;
    for (size_t i = 0; i < retry.count; i++) {
        part_deinit(&retry.items[i].part);
        free(retry.items[i].queue_dir);
    }
    return good;
}

bool retry_deferred(const struct settings *settings)
{
    return retry(settings, NULL, false);
}

bool retry_deferred_of(const struct settings *settings, const struct selection *selection)
{
    return retry(settings, selection, false);
}

bool retry_lookups(const struct settings *settings)
{
    return retry(settings, NULL, true);
}
