/* proc - the processes of a Postfix, as /proc shows them */
#include "admin/proc.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first line of a file in /proc/PID that begins with start. */
static bool read_line(pid_t pid, const char *name, const char *start, char *line, int size)
{
    char path[64];
    FILE *file;
    bool found = false;

    snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    while (!found && fgets(line, size, file) != NULL)
        found = strncmp(line, start, strlen(start)) == 0;
    fclose(file);
    return found;
}

/* "PID (NAME) STATE PARENT GROUP ..."; a name may hold blanks and parentheses. */
static bool parse_stat(const char *line, struct proc *proc)
{
    const char *name = strchr(line, '(');
    const char *end = strrchr(line, ')');
    unsigned long long started;
    long group, level;

    if (name == NULL || end == NULL ||
        sscanf(end + 1,
               " %c %*d %ld %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %ld %*d %*d %llu",
               &proc->state, &group, &level, &started) != 4)
        return false;
    snprintf(proc->name, sizeof proc->name, "%.*s", (int)(end - name) - 1, name + 1);
    proc->group = (pid_t)group;
    proc->nice = (int)level;
    proc->started_ms = (int64_t)started * 1000 / sysconf(_SC_CLK_TCK);
    return true;
}

bool proc_get(pid_t pid, struct proc *proc_r)
{
    struct proc proc = {.pid = pid};
    char line[1024];
    unsigned long uid;

    if (!read_line(pid, "stat", "", line, sizeof line) || !parse_stat(line, &proc) ||
        !read_line(pid, "status", "Uid:", line, sizeof line) || sscanf(line, "Uid: %lu", &uid) != 1)
        return false;
    proc.uid = (uid_t)uid;
    proc.policy = sched_getscheduler(pid);
    *proc_r = proc;
    return true;
}

bool proc_policy_differs(const struct proc *proc, bool batch)
{
    return proc->policy == (batch ? SCHED_OTHER : SCHED_BATCH);
}

void proc_each_of_group(pid_t group, bool (*visit)(void *arg, const struct proc *proc), void *arg)
{
    DIR *processes = opendir("/proc");
    const struct dirent *entry;
    bool more = true;

    while (processes != NULL && more && (entry = readdir(processes)) != NULL) {
        long pid = strtol(entry->d_name, NULL, 10);
        struct proc proc;

        if (pid > 0 && proc_get((pid_t)pid, &proc) && proc.group == group)
            more = visit(arg, &proc);
    }
    if (processes != NULL)
        closedir(processes);
}
