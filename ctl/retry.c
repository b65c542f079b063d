/* retry - have the frontend try again at once what it has deferred */
#include "ctl/retry.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

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

        if (!process_start(&process, argv, PROCESS_NICE_KEEP))
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

/*
 * Once is not enough. A message whose delivery fails just now is deferred behind the back of the
 * queue run, and a run that was under way already goes on knowing its destination to be dead. So it
 * is asked again until nothing is left, or what is left does not become less.
 */
static bool flush_all(const struct settings *settings, const char *dir)
{
    char queue_dir[PATH_MAX], why[QUEUES_WHY_SIZE];
    struct queue_counts counts;
    uint64_t before = UINT64_MAX;
    int in_vain = 0;

    if (!settings_path(settings, SETTINGS_FRONTEND_SPOOL, queue_dir))
        return flush(dir);
    for (int round = 0; round < ROUNDS_MAX && in_vain < IN_VAIN_MAX; round++) {
        if (round > 0)
            clock_sleep_ms(ROUND_MS);
        if (!flush(dir))
            return false;
        if (!queues_count(queue_dir, &counts, why) ||
            counts.incoming + counts.active + counts.deferred == 0)
            break;
        in_vain = counts.deferred < before ? 0 : in_vain + 1;
        before = counts.deferred;
    }
    return true;
}

/* Reload, and wait for the end of the queue manager: what it is asked to flush it would defer. */
static bool replace_queue_manager(const struct part *frontend, pid_t master)
{
    pid_t old = retry_queue_manager(master);
    struct batch batch = {0};
    bool good = batch_command(&batch, frontend, "reload");

    good = batch_finish(&batch) && good;
    if (old == 0 || !good)
        return good;
    for (int waited_ms = 0; waited_ms < TIMEOUT_MS; waited_ms += POLL_MS) {
        if (retry_queue_manager(master) != old)
            return true;
        clock_sleep_ms(POLL_MS);
    }
    fprintf(stderr,
            "%s: its queue manager (pid %ld) has not ended %d s after the reload; mail that it "
            "has deferred may wait for minutes: run postqueue -c %s -f when it has\n",
            frontend->name, (long)old, TIMEOUT_MS / 1000, frontend->dir);
    return false;
}

static bool retry(const struct settings *settings, bool lookups_failed)
{
    struct part frontend;
    bool good = true;
    pid_t master;

    part_init_instance(&frontend, settings, PEG_FRONTEND);
    if (part_runs(&frontend, &master) == 1) {
        if (lookups_failed)
            good = replace_queue_manager(&frontend, master);
        good = flush_all(settings, frontend.dir) && good;
    }
    part_deinit(&frontend);
    return good;
}

bool retry_deferred(const struct settings *settings)
{
    return retry(settings, false);
}

bool retry_lookups(const struct settings *settings)
{
    return retry(settings, true);
}
