/* proc - the processes of a Postfix, as /proc shows them: all are in the group of its master */
#ifndef PEG_ADMIN_PROC_H
#define PEG_ADMIN_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"

struct proc {
    pid_t pid;
    pid_t group;
    uid_t uid;     /* real */
    char name[32]; /* the program's, at most 15 bytes of it */
    char state;    /* 'T': stopped by a signal (proc(5)) */
    int nice;
    int policy;         /* SCHED_OTHER, SCHED_BATCH or another of sched(7) */
    int64_t started_ms; /* clock_boot_ms() */
};

/* Look at one process. False: it is gone. */
bool proc_get(pid_t pid, struct proc *proc_r) PEG_MUST_USE;

/* Whether it is SCHED_OTHER and should be SCHED_BATCH, or not; other policies are the operator's.
 */
bool proc_policy_differs(const struct proc *proc, bool batch) PEG_MUST_USE;

/* Look at all of a group, until visit returns false. Those that end meanwhile are left out. */
void proc_each_of_group(pid_t group, bool (*visit)(void *arg, const struct proc *proc), void *arg);

#endif
