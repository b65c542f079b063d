/* doctor_parts - whether every part runs, as it should */
#include "doctor/doctor_steps.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "admin/mem.h"
#include "admin/postconf.h"
#include "admin/proc.h"
#include "ctl/retry.h"
#include "lib/autogroup.h"
#include "lib/clock.h"
#include "lib/reload_note.h"
#include "lib/startup.h"

/* What is looked for in the processes of a part, and the first that is not so. */
struct examination {
    uid_t uid;
    bool is_postfix; /* whose master(8) and a few services stay root */
    const struct process_share *share;
    unsigned count;
    char what[128]; /* "" while all is well */
};

/* Programs that peg-milter or local(8) run for somebody are in no group of ours. */
static bool examine_process(void *arg, const struct proc *proc)
{
    struct examination *all = arg;

    all->count++;
    if (proc->state == 'T' || proc->state == 't')
        snprintf(all->what, sizeof all->what,
                 "%s (pid %ld) is stopped by a signal; let it go on: kill -CONT %ld", proc->name,
                 (long)proc->pid, (long)proc->pid);
    else if (proc->nice != all->share->nice_level)
        snprintf(all->what, sizeof all->what,
                 "%s (pid %ld) has nice level %d instead of %d; set it by peg-ctl reload",
                 proc->name, (long)proc->pid, proc->nice, all->share->nice_level);
    else if (all->is_postfix && proc_policy_differs(proc, all->share->batch))
        snprintf(all->what, sizeof all->what,
                 "%s (pid %ld) is scheduled as %s; set it right by peg-ctl reload", proc->name,
                 (long)proc->pid, all->share->batch ? "SCHED_OTHER" : "SCHED_BATCH");
    else if (proc->uid != all->uid && !(all->is_postfix && proc->uid == 0))
        snprintf(all->what, sizeof all->what,
                 "%s (pid %ld) runs as user id %lu instead of %lu; peg-ctl restart", proc->name,
                 (long)proc->pid, (unsigned long)proc->uid, (unsigned long)all->uid);
    return all->what[0] == '\0';
}

/* The level that counts between sessions, where Linux groups processes by them. */
static void examine_session(struct examination *all, const struct part *part, pid_t pid)
{
    int level;

    if (all->what[0] == '\0' && autogroup_get(pid, &level) && level != all->share->nice_level)
        snprintf(all->what, sizeof all->what,
                 "its session (/proc/%ld/autogroup) has nice level %d instead of %d; set it by "
                 "peg-ctl %s",
                 (long)pid, level, all->share->nice_level,
                 part->dir != NULL ? "reload" : "restart");
}

/* The user of a part's processes, to be freed; NULL after an error on stderr. */
static char *user_of(const struct doctor *doctor, const struct part *part)
{
    return part->dir != NULL ? postconf_expanded(part->dir, "mail_owner")
                             : mem_dup(doctor->settings->daemon_user);
}

static void examine_running(struct doctor *doctor, const struct part *part, pid_t pid,
                            const char *user)
{
    const struct passwd *entry = user != NULL ? getpwnam(user) : NULL;
    struct examination all = {.is_postfix = part->dir != NULL, .share = &part->share};
    struct proc proc;

    if (entry == NULL) {
        verdict_say(&doctor->verdicts, VERDICT_FAILED, part->name, "there is no user %s",
                    user != NULL ? user : "");
        return;
    }
    all.uid = entry->pw_uid;
    if (part->dir != NULL)
        proc_each_of_group(pid, examine_process, &all);
    else if (proc_get(pid, &proc))
        examine_process(&all, &proc);
    examine_session(&all, part, pid);
    if (all.what[0] != '\0')
        verdict_say(&doctor->verdicts, VERDICT_FAILED, part->name, "%s", all.what);
    else
        verdict_say(&doctor->verdicts, VERDICT_OK, part->name,
                    "runs (pid %ld), %u process%s, user %s, nice level %d", (long)pid, all.count,
                    all.count == 1 ? "" : "es", user, part->share.nice_level);
}

/* When a file was last changed: CLOCK_REALTIME, ms; 0 where it is not there. */
static int64_t changed_ms(const char *dir, const char *name)
{
    char *path = mem_printf("%s/%s", dir, name);
    struct stat status;
    int64_t ms = 0;

    if (stat(path, &status) == 0)
        ms = (int64_t)status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1000000;
    free(path);
    return ms;
}

/* Whether none of these files, NULL at the end, was changed after it was last read. */
static void examine_age(struct doctor *doctor, const struct part *part, const char *dir,
                        const char *const files[], int64_t read_ms)
{
    for (size_t i = 0; files[i] != NULL; i++)
        if (changed_ms(dir, files[i]) > read_ms)
            verdict_say(&doctor->verdicts, VERDICT_FAILED, part->name,
                        "%s/%s was changed after it was last read; peg-ctl reload", dir, files[i]);
}

/* When a process was started, by the clock on the wall. */
static int64_t started_wall_ms(const struct proc *proc)
{
    return proc->started_ms + (clock_wall_ms() - clock_boot_ms());
}

/* A reload replaces the queue manager. */
static void examine_postfix(struct doctor *doctor, const struct part *part, pid_t pid)
{
    static const char *const files[] = {"main.cf", "master.cf", NULL};
    pid_t manager = retry_queue_manager(pid);
    struct proc proc;

    if (manager == 0 || !proc_get(manager, &proc))
        verdict_say(&doctor->verdicts, VERDICT_FAILED, part->name,
                    "has no queue manager; look into the log");
    else
        examine_age(doctor, part, part->dir, files, started_wall_ms(&proc));
}

static void examine_daemon(struct doctor *doctor, const struct part *part, pid_t pid)
{
    static const char *const files[] = {"priority-email-gateway.conf",
                                        "priority-email-gateway.rules", NULL};
    static const char *const only_conf[] = {"priority-email-gateway.conf", NULL};
    char *etc = mem_printf("%s/etc", doctor->settings->root);
    struct reload_note note;
    struct proc proc;
    bool reloaded = reload_note_read(doctor->settings, part->name, &note) && note.pid == pid;

    if (reloaded && !note.taken)
        verdict_say(&doctor->verdicts, VERDICT_FAILED, part->name,
                    "has refused its last reload and goes on as before; the log says why");
    else if (startup_needs_restart(doctor->settings, part->name))
        verdict_say(&doctor->verdicts, VERDICT_FAILED, part->name,
                    "was started with other settings, which no reload changes; peg-ctl restart %s",
                    part->name);
    else if (proc_get(pid, &proc))
        examine_age(doctor, part, etc, part->kind == PART_MILTER ? files : only_conf,
                    reloaded ? note.wall_ms : started_wall_ms(&proc));
    free(etc);
}

static void examine_files(struct doctor *doctor)
{
    for (size_t i = 0; doctor->work != NULL && i < doctor->work->folder_count; i++) {
        const struct work_folder *folder = &doctor->work->folders[i];
        size_t changes = difference_count(&folder->difference);

        if (changes > 0)
            verdict_say(&doctor->verdicts, VERDICT_FAILED, folder->plan->name,
                        "%s is not as it should be in %zu point%s; see peg-gen diff, then peg-gen "
                        "apply",
                        folder->plan->dir, changes, changes == 1 ? "" : "s");
        else
            verdict_say(&doctor->verdicts, VERDICT_OK, folder->plan->name,
                        "%s is as peg-gen apply makes it", folder->plan->dir);
    }
}

void doctor_parts(struct doctor *doctor)
{
    examine_files(doctor);
    for (size_t i = 0; i < doctor->parts.count; i++) {
        const struct part *part = &doctor->parts.items[i];
        pid_t pid;
        int running = part_runs(part, &pid);

        if (running == 1) {
            char *user = user_of(doctor, part);

            examine_running(doctor, part, pid, user);
            if (part->dir != NULL)
                examine_postfix(doctor, part, pid);
            else
                examine_daemon(doctor, part, pid);
            free(user);
        } else if (running == 0) {
            verdict_say(&doctor->verdicts, VERDICT_FAILED, part->name,
                        "does not run; start it: peg-ctl start");
        } else {
            verdict_say(&doctor->verdicts, VERDICT_FAILED, part->name, "%s cannot be read: %m",
                        part->pid_file);
        }
    }
}
