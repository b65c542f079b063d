/* nice - the nice level of a Postfix that runs: of its processes, and of their session */
#include "ctl/nice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/autogroup.h"

static int wanted(const struct part *part)
{
    return settings_nice_level(part->nice_level);
}

/* The master of a Postfix that runs; 0: it is none, or does not. */
static pid_t master_of(const struct part *part)
{
    pid_t pid;

    return part->dir != NULL && part_runs(part, &pid) == 1 ? pid : 0;
}

bool nice_differs(const struct part *part)
{
    pid_t pid = master_of(part);
    int level;

    return pid > 0 && (getpriority(PRIO_PROCESS, (id_t)pid) != wanted(part) ||
                       (autogroup_get(pid, &level) && level != wanted(part)));
}

/* All processes of a Postfix are in the process group of its master. */
bool nice_set_processes(const struct part *part)
{
    pid_t pid = master_of(part);

    if (pid == 0 || setpriority(PRIO_PGRP, (id_t)pid, wanted(part)) == 0 || errno == ESRCH)
        return true;
    fprintf(stderr, "%s (pid %ld): the nice level cannot be set: %m\n", part->name, (long)pid);
    return false;
}

/* A master is in a session of its own before it locks the pid file. */
void nice_set_sessions(const struct selection *selection)
{
    const struct part *first = NULL;
    int error = 0;

    for (size_t i = 0; i < selection->count; i++) {
        const struct part *part = selection->items[i];
        pid_t pid = master_of(part);

        if (pid > 0 && !autogroup_set(pid, wanted(part)) && first == NULL) {
            first = part;
            error = errno;
        }
    }
    if (first != NULL)
        fprintf(stderr,
                "warning: %s: nice level %d cannot be set for its session (/proc/PID/autogroup): "
                "%s; so it does not count against other sessions: run peg-ctl reload as root with "
                "all capabilities, or set kernel.sched_autogroup_enabled=0\n",
                first->name, wanted(first), strerror(error));
}
