/* startup - the first steps of a daemon of this gateway: see also startup_restart.c */
#include "lib/startup.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/autogroup.h"
#include "lib/daemon.h"
#include "lib/log.h"
#include "lib/notify.h"

enum { OTHER_FILES = 32 }; /* log, table, sockets, libraries' own, with room to spare */

bool startup_log(const char *program, const struct settings *settings, bool foreground)
{
    enum log_target target = LOG_TO_SYSLOG;
    char path[PATH_MAX];

    if (!settings_path(settings, SETTINGS_LOG_FILE, path)) {
        log_error("the path %s is too long", settings->root);
        return false;
    }
    if (foreground && (settings->root[0] != '\0' || !notify_has_journal()))
        target = LOG_TO_STDERR;
    else if (settings->root[0] != '\0')
        target = LOG_TO_FILE;
    if (log_open(program, target, path))
        return true;
    log_error("cannot open the log %s: %m", path);
    return false;
}

void startup_refused(const char *program, bool foreground)
{
    if (!foreground) /* else the log is there as well */
        fprintf(stderr, "%s: cannot start, the log says why\n", program);
}

bool startup_pid_file(const char *program, const struct settings *settings)
{
    char folder[PATH_MAX], name[64], path[PATH_MAX];

    snprintf(name, sizeof name, SETTINGS_RUN_DIR "/%s.pid", program);
    if (!settings_path(settings, SETTINGS_RUN_DIR, folder) ||
        !settings_path(settings, name, path)) {
        log_error("the path %s is too long", settings->root);
        return false;
    }
    if (!daemon_folder(folder, settings->daemon_user, NULL, 0755) ||
        !daemon_pid_file(path, settings->daemon_user))
        return false;
    startup_forget_note(settings, program);
    return true;
}

bool startup_store(const struct settings *settings)
{
    char folder[PATH_MAX];

    if (settings_path(settings, SETTINGS_STORE_DIR, folder))
        return daemon_folder(folder, settings->daemon_user, NULL, 0750);
    log_error("the path %s is too long", settings->root);
    return false;
}

bool startup_can_read(const struct settings *settings, const char *below_root)
{
    char path[PATH_MAX];

    if (settings_path(settings, below_root, path) && access(path, R_OK) == 0)
        return true;
    log_error("%s: user %s cannot read it: %m", path, settings->daemon_user);
    return false;
}

bool startup_frontend_group(const struct settings *settings, char group_r[STARTUP_GROUP_SIZE])
{
    char path[PATH_MAX];
    struct stat status;
    const struct passwd *owner;
    const struct group *group;

    if (!settings_path(settings, SETTINGS_FRONTEND_DATA, path) || stat(path, &status) != 0)
        return false;
    owner = getpwuid(status.st_uid);
    group = owner != NULL ? getgrgid(owner->pw_gid) : NULL;
    return group != NULL &&
           snprintf(group_r, STARTUP_GROUP_SIZE, "%s", group->gr_name) < STARTUP_GROUP_SIZE;
}

void startup_nice(const char *parameter, int level)
{
    int wanted = settings_nice_level(level);
    int now = getpriority(PRIO_PROCESS, 0);

    if (now != wanted && setpriority(PRIO_PROCESS, 0, wanted) != 0)
        log_warn("%s: the nice level stays %d, %d cannot be set: %m; start this as root, or allow "
                 "it (ulimit -e, or LimitNICE of the service)",
                 parameter, now, wanted);
    else if (!autogroup_set(getpid(), wanted))
        log_warn("%s: nice level %d cannot be set for the session (/proc/self/autogroup): %m; so "
                 "it does not count against other sessions: start this as root, allow it (ulimit "
                 "-e, or LimitNICE of the service), or set kernel.sched_autogroup_enabled=0",
                 parameter, wanted);
}

int startup_fit_connections(const char *parameter, int wanted)
{
    const rlim_t need = (rlim_t)wanted + OTHER_FILES;
    struct rlimit have;
    struct rlimit more;
    int fits;

    if (getrlimit(RLIMIT_NOFILE, &have) != 0 || have.rlim_cur >= need)
        return wanted;
    more.rlim_cur = need;
    more.rlim_max = have.rlim_max > need ? have.rlim_max : need;
    if (setrlimit(RLIMIT_NOFILE, &more) == 0)
        return wanted;
    more.rlim_cur = more.rlim_max = have.rlim_max; /* only root may go beyond */
    if (setrlimit(RLIMIT_NOFILE, &more) == 0)
        have = more;
    fits = have.rlim_cur > OTHER_FILES ? (int)(have.rlim_cur - OTHER_FILES) : 1;
    log_warn("%s: %d connections do not fit in %lu open files, which is enough for %d; raise that "
             "limit (ulimit -Hn, or LimitNOFILE of the service)",
             parameter, wanted, (unsigned long)have.rlim_cur, fits);
    return fits;
}
