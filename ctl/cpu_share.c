/* cpu_share - how a Postfix that runs shares the processors */
#include "ctl/cpu_share.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "admin/proc.h"
#include "lib/autogroup.h"

/* The master of a Postfix that runs; 0: it is none, or does not. */
static pid_t master_of(const struct part *part)
{
    pid_t pid;

    return part->dir != NULL && part_runs(part, &pid) == 1 ? pid : 0;
}

bool cpu_share_differs(const struct part *part)
{
    pid_t pid = master_of(part);
    struct proc proc;
    int level;

    return pid > 0 && ((proc_get(pid, &proc) && (proc.nice != part->share.nice_level ||
                                                 proc_policy_differs(&proc, part->share.batch))) ||
                       (autogroup_get(pid, &level) && level != part->share.nice_level));
}

struct policy_change {
    bool batch;
    int error; /* errno of the first that failed; 0: none has */
};

static bool set_policy(void *arg, const struct proc *proc)
{
    struct policy_change *change = arg;
    const struct sched_param none = {0};

    if (proc_policy_differs(proc, change->batch) &&
        sched_setscheduler(proc->pid, change->batch ? SCHED_BATCH : SCHED_OTHER, &none) != 0 &&
        errno != ESRCH)
        change->error = errno;
    return change->error == 0;
}

/* First of the master, whose later children have it from their start. Returns 0, or an errno. */
static int set_policies(pid_t master, bool batch)
{
    struct policy_change change = {.batch = batch};
    struct proc proc;

    if (proc_get(master, &proc) && set_policy(&change, &proc))
        proc_each_of_group(master, set_policy, &change);
    return change.error;
}

/* All processes of a Postfix are in the process group of its master. */
bool cpu_share_set_processes(const struct part *part)
{
    pid_t pid = master_of(part);
    int error;

    if (pid == 0)
        return true;
    if (setpriority(PRIO_PGRP, (id_t)pid, part->share.nice_level) != 0 && errno != ESRCH) {
        fprintf(stderr, "%s (pid %ld): the nice level cannot be set: %m\n", part->name, (long)pid);
        return false;
    }
    error = set_policies(pid, part->share.batch);
    if (error != 0)
        fprintf(stderr, "%s (pid %ld): the scheduling policy cannot be set: %s\n", part->name,
                (long)pid, strerror(error));
    return error == 0;
}

/* A master is in a session of its own before it locks the pid file. */
void cpu_share_set_sessions(const struct selection *selection)
{
    const struct part *first = NULL;
    int error = 0;

    for (size_t i = 0; i < selection->count; i++) {
        const struct part *part = selection->items[i];
        pid_t pid = master_of(part);

        if (pid > 0 && !autogroup_set(pid, part->share.nice_level) && first == NULL) {
            first = part;
            error = errno;
        }
    }
    if (first != NULL)
        fprintf(stderr,
                "warning: %s: nice level %d cannot be set for its session (/proc/PID/autogroup): "
                "%s; so it does not count against other sessions: run peg-ctl reload as root with "
                "all capabilities, or set kernel.sched_autogroup_enabled=0\n",
                first->name, first->share.nice_level, strerror(error));
}
