/*
 * survey_states - which Postfixes and daemons run, and since when
 *
 * That they run is told by the lock on the pid file. The start of a process of another user, such
 * as master(8), is hidden from peg-monitor (ProtectProc=), so times of files tell it: master(8)
 * writes its pid file at its start and never again, not at a reload either (Postfix
 * src/master/master.c). Our daemons may write theirs all the time to say that they are alive; the
 * file that keeps the time of the one before is made at the start (lib/daemon.h).
 */
#include "survey/survey_states.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/daemon.h"
#include "lib/held_files.h"

#define MILTER_PID_FILE SETTINGS_RUN_DIR "/peg-milter.pid"
#define TCPMAP_PID_FILE SETTINGS_RUN_DIR "/peg-tcpmap.pid"

enum { PID_FILE_SIZE = sizeof "/var/spool//pid/master.pid" + SETTINGS_NAME_SIZE };

static void postfix_pid_file(int instance, char below_root_r[PID_FILE_SIZE])
{
    char name[SETTINGS_NAME_SIZE];

    settings_instance_name(instance, name);
    snprintf(below_root_r, PID_FILE_SIZE, "/var/spool/%s/pid/master.pid", name);
}

static void note(const struct settings *settings, const char *pid_file, struct held_file *file_r)
{
    char path[PATH_MAX];

    if (settings_path(settings, pid_file, path))
        held_files_note(path, file_r);
}

/* When the status or the content of a file was changed last; 0: unknown. */
static int64_t changed_ms(const struct settings *settings, const char *below_root, bool content)
{
    char path[PATH_MAX];
    struct stat status;
    const struct timespec *time = content ? &status.st_mtim : &status.st_ctim;

    if (!settings_path(settings, below_root, path) || lstat(path, &status) != 0)
        return 0;
    return (int64_t)time->tv_sec * 1000 + time->tv_nsec / 1000000;
}

static enum survey_state state_of(const struct held_file *file)
{
    return file->held == HELD_YES  ? SURVEY_UP
           : file->held == HELD_NO ? SURVEY_DOWN
                                   : SURVEY_UNKNOWN;
}

static void tell_instance(const struct settings *settings, const struct held_file *file,
                          struct survey_instance *instance)
{
    char pid_file[PID_FILE_SIZE];

    postfix_pid_file(instance->instance, pid_file);
    instance->state = state_of(file);
    if (instance->state == SURVEY_UP)
        instance->up_since_ms = changed_ms(settings, pid_file, true);
}

/* The time of the one before is put into its file once, so that was the start of this one. */
static void tell_daemon(const struct settings *settings, const struct held_file *file,
                        const char *before_file, struct survey_daemon *daemon)
{
    daemon->state = state_of(file);
    if (daemon->state == SURVEY_UP)
        daemon->up_since_ms = changed_ms(settings, before_file, false);
}

void survey_states_take(const struct settings *settings, struct survey *survey)
{
    struct held_file files[SURVEY_INSTANCES_MAX + 2] = {0};
    struct held_file *milter = &files[survey->instance_count];
    struct held_file *tcpmap = milter + 1;
    char pid_file[PID_FILE_SIZE];

    for (size_t i = 0; i < survey->instance_count; i++) {
        postfix_pid_file(survey->instances[i].instance, pid_file);
        note(settings, pid_file, &files[i]);
    }
    note(settings, MILTER_PID_FILE, milter);
    note(settings, TCPMAP_PID_FILE, tcpmap);
    held_files_find(files, survey->instance_count + 2);
    for (size_t i = 0; i < survey->instance_count; i++)
        tell_instance(settings, &files[i], &survey->instances[i]);
    tell_daemon(settings, milter, MILTER_PID_FILE DAEMON_BEFORE_SUFFIX, &survey->milter);
    tell_daemon(settings, tcpmap, TCPMAP_PID_FILE DAEMON_BEFORE_SUFFIX, &survey->tcpmap);
}
