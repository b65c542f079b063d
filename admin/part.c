/* part - one running piece of the gateway: a daemon of ours, a frontend, or an instance */
#include "admin/part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/mem.h"
#include "lib/daemon.h"

static void init_daemon(struct part *part, const struct settings *settings, enum part_kind kind,
                        const char *name)
{
    *part = (struct part){.kind = kind, .instance = PEG_FRONTEND};
    snprintf(part->name, sizeof part->name, "%s", name);
    part->pid_file = mem_printf("%s" SETTINGS_RUN_DIR "/%s.pid", settings->root, name);
}

void part_init_instance(struct part *part, const struct settings *settings, int instance)
{
    bool frontend = settings_is_frontend(instance);

    *part = (struct part){.kind = frontend ? PART_FRONTEND : PART_INSTANCE, .instance = instance};
    settings_instance_name(instance, part->name);
    part->dir = mem_printf("%s/etc/%s", settings->root, part->name);
    part->pid_file = mem_printf("%s/var/spool/%s/pid/master.pid", settings->root, part->name);
    if (instance < settings->priority_count)
        part->share = (struct process_share){
            .nice_level = settings_nice_level(settings_own(settings, instance)->nice_level),
            .batch = settings_own(settings, instance)->sched_batch};
}

void part_deinit(struct part *part)
{
    free(part->dir);
    free(part->pid_file);
    *part = (struct part){0};
}

void parts_init(struct parts *parts, const struct settings *settings)
{
    parts->count = 0;
    init_daemon(&parts->items[parts->count], settings, PART_MILTER, "peg-milter");
    parts->items[parts->count++].share.nice_level =
        settings_nice_level(settings->milter_nice_level);
    init_daemon(&parts->items[parts->count++], settings, PART_TCPMAP, "peg-tcpmap");
    for (int n = 0; n < settings->priority_count; n++)
        if (settings_has(settings, n))
            part_init_instance(&parts->items[parts->count++], settings, n);
    for (int n = PEG_FIRST; settings_is_frontend(n); n++)
        if (settings_has(settings, n))
            part_init_instance(&parts->items[parts->count++], settings, n);
    init_daemon(&parts->items[parts->count++], settings, PART_MONITOR, "peg-monitor");
}

void parts_deinit(struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        part_deinit(&parts->items[i]);
    parts->count = 0;
}

bool selection_has(const struct selection *selection, int instance)
{
    for (size_t i = 0; i < selection->count; i++)
        if (selection->items[i]->dir != NULL && selection->items[i]->instance == instance)
            return true;
    return false;
}

const struct part *parts_find(const struct parts *parts, const char *name)
{
    for (size_t i = 0; i < parts->count; i++) {
        const struct part *part = &parts->items[i];
        size_t prefix = strcspn(part->name, "-") + 1;

        if (strcmp(part->name, name) == 0)
            return part;
        if (part->kind == PART_INSTANCE)
            prefix = strlen("postfix");
        if (strcmp(part->name + prefix, name) == 0)
            return part;
    }
    return NULL;
}

int part_pid_file_held(const char *pid_file, pid_t *pid_r)
{
    int fd = open(pid_file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char text[128]; /* master(8) pads the number with blanks */
    ssize_t len;
    char *end;
    long pid;

    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    if (flock(fd, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) {
        close(fd); /* and the lock is gone again */
        return 0;
    }
    len = pread(fd, text, sizeof text - 1, 0);
    close(fd);
    if (len < 0)
        return -1;
    text[len] = '\0';
    pid = strtol(text, &end, 10);
    if (pid <= 1 || *end != '\n') {
        errno = ESRCH; /* locked just now, and not written yet */
        return -1;
    }
    if (pid_r != NULL)
        *pid_r = (pid_t)pid;
    return 1;
}

int part_runs(const struct part *part, pid_t *pid_r)
{
    return part_pid_file_held(part->pid_file, pid_r);
}

static int64_t time_ms(const struct timespec *time)
{
    return (int64_t)time->tv_sec * 1000 + time->tv_nsec / 1000000;
}

/* The file was made by the process that runs, and given the time of the one before, if any. */
int64_t part_away_ms(const struct part *part)
{
    char *before = mem_printf("%s" DAEMON_BEFORE_SUFFIX, part->pid_file);
    struct stat status;
    int64_t away_ms = lstat(before, &status) == 0 && status.st_mtim.tv_sec != 0
                          ? time_ms(&status.st_ctim) - time_ms(&status.st_mtim)
                          : INT64_MAX;

    free(before);
    return away_ms >= 0 ? away_ms : INT64_MAX; /* that: the clock was set back */
}
