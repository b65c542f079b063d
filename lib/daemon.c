/* daemon - what every daemon does around its work */
#include "lib/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/notify.h"

enum { LOCK_TRIES = 200, LOCK_RETRY_MS = 5 };

static int ready_fd = -1; /* set before any thread is started, as is the next */
static int pid_fd = -1;

void daemon_detach(void)
{
    int fds[2];
    char byte;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) != 0 || (pid = fork()) < 0)
        log_fatal("cannot go to the background: %m");
    if (pid > 0) { /* ends when the child is ready, or gone */
        close(fds[1]);
        _exit(read(fds[0], &byte, 1) == 1 ? 0 : 1);
    }
    close(fds[0]);
    ready_fd = fds[1];
    if (setsid() < 0)
        log_fatal("setsid: %m");
    notify_leave();
}

void daemon_ready(void)
{
    int null_fd;

    notify_ready();
    if (ready_fd < 0)
        return;
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0 ||
        dup2(null_fd, STDERR_FILENO) < 0)
        log_fatal("/dev/null: %m");
    close(null_fd);
    if (write(ready_fd, "", 1) != 1)
        log_warn("who started this process is gone: %m");
    close(ready_fd);
    ready_fd = -1;
}

/* Who asks whether this daemon runs (admin/part.c) has the lock for a moment, and for longer where
 * it has to wait for a processor. */
static bool lock_pid_file(int fd)
{
    for (int tries = 1; flock(fd, LOCK_EX | LOCK_NB) != 0; tries++) {
        if (errno != EWOULDBLOCK || tries == LOCK_TRIES)
            return false;
        clock_sleep_ms(LOCK_RETRY_MS);
    }
    return true;
}

static bool write_pid(int fd)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());

    return pwrite(fd, text, (size_t)len, 0) == len;
}

static bool give_to(int fd, const char *user)
{
    const struct passwd *account = geteuid() == 0 ? getpwnam(user) : NULL;
    struct stat status;

    if (account == NULL)
        return true;
    if (fstat(fd, &status) != 0)
        return false;
    if (status.st_nlink != 1) { /* who gave it a second name may mean another file */
        errno = EMLINK;
        return false;
    }
    return fchown(fd, account->pw_uid, account->pw_gid) == 0;
}

/* Keep the time when the process before this one was alive last, 1970 where there was none; where
 * that fails, it is unknown. */
static void keep_time_before(int fd, const char *path, const char *user)
{
    char before[PATH_MAX];
    struct timespec times[2] = {{0}};
    struct stat status;
    int before_fd;

    if (snprintf(before, sizeof before, "%s" DAEMON_BEFORE_SUFFIX, path) >= (int)sizeof before)
        return;
    unlink(before);
    if (fstat(fd, &status) != 0)
        return;
    if (status.st_size > 0)
        times[0] = times[1] = status.st_mtim;
    before_fd = open(before, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (before_fd < 0)
        return;
    if (!give_to(before_fd, user) || futimens(before_fd, times) != 0)
        unlink(before);
    close(before_fd);
}

bool daemon_pid_file(const char *path, const char *user)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

    if (fd < 0) {
        log_error("open %s: %m", path);
        return false;
    }
    if (!lock_pid_file(fd)) {
        if (errno == EWOULDBLOCK)
            log_error("%s is locked: another one runs already", path);
        else
            log_error("lock %s: %m", path);
        close(fd);
        return false;
    }
    keep_time_before(fd, path, user);
    if (!give_to(fd, user) || ftruncate(fd, 0) != 0 || !write_pid(fd)) {
        log_error("write %s: %m", path);
        close(fd);
        return false;
    }
    pid_fd = fd; /* stays open: it is the lock */
    return true;
}

void daemon_alive(void)
{
    bool is_written = pid_fd >= 0 && write_pid(pid_fd);

    (void)is_written; /* then it looks as if it had been away for longer */
}

static bool make_parents(const char *path)
{
    char parent[PATH_MAX];
    int len = snprintf(parent, sizeof parent, "%s", path);

    if (len < 0 || (size_t)len >= sizeof parent)
        return false;
    for (char *slash = strchr(parent + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(parent, 0755) != 0 && errno != EEXIST)
            return false;
        *slash = '/';
    }
    return true;
}

/* By its descriptor: where the folder above belongs to user, a link may take its place meanwhile.
 */
static bool give_folder(const char *path, uid_t uid, gid_t gid, unsigned mode)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool good = fd >= 0 && fchown(fd, uid, gid) == 0 && fchmod(fd, mode) == 0;

    if (!good)
        log_error("owner and mode of %s: %m", path);
    if (fd >= 0)
        close(fd);
    return good;
}

bool daemon_folder(const char *path, const char *user, const char *group, unsigned mode)
{
    struct stat status;
    const struct passwd *account;
    gid_t gid;

    if (!make_parents(path) || (mkdir(path, mode & 0777) != 0 && errno != EEXIST)) {
        log_error("create folder %s: %m", path);
        return false;
    }
    if (lstat(path, &status) != 0 || !S_ISDIR(status.st_mode)) {
        log_error("%s is not a folder: remove it", path);
        return false;
    }
    if (geteuid() != 0)
        return true;
    if ((account = getpwnam(user)) == NULL) {
        log_error("there is no user %s: create it, or set DAEMON_USER", user);
        return false;
    }
    gid = account->pw_gid;
    if (group != NULL) {
        const struct group *entry = getgrnam(group);

        if (entry == NULL) {
            log_error("there is no group %s: is Postfix installed?", group);
            return false;
        }
        gid = entry->gr_gid;
    }
    return give_folder(path, account->pw_uid, gid, mode);
}

/* Whether this process is exactly that, in all of its ids. */
static bool is_now(uid_t uid, gid_t gid, size_t group_count, const gid_t groups[])
{
    uid_t uids[3];
    gid_t gids[3], have[2];

    if (getresuid(&uids[0], &uids[1], &uids[2]) != 0 ||
        getresgid(&gids[0], &gids[1], &gids[2]) != 0)
        return false;
    for (int i = 0; i < 3; i++)
        if (uids[i] != uid || gids[i] != gid)
            return false;
    return getgroups(2, have) == (int)group_count && (group_count == 0 || have[0] == groups[0]);
}

/* Change from root to these ids, and prove it. */
static bool become(const char *user, uid_t uid, gid_t gid, size_t group_count, const gid_t groups[])
{
    if (setgroups(group_count, groups) != 0 || setresgid(gid, gid, gid) != 0 ||
        setresuid(uid, uid, uid) != 0) {
        log_error("become user %s: %m", user);
        return false;
    }
    if (!is_now(uid, gid, group_count, groups)) { /* proof, not hope */
        log_error("become user %s: some ids are not what they should be", user);
        return false;
    }
    if (setuid(0) == 0 || setgid(0) == 0) {
        log_error("root privileges can still be had back");
        return false;
    }
    return true;
}

static bool drop_root(const char *user, const char *group)
{
    const struct passwd *account;
    const struct group *entry = NULL;

    errno = 0;
    if ((account = getpwnam(user)) == NULL) {
        log_error("there is no user %s: create it, or set DAEMON_USER", user);
        return false;
    }
    if (account->pw_uid == 0) {
        log_error("DAEMON_USER must not be root");
        return false;
    }
    if (group != NULL && ((entry = getgrnam(group)) == NULL || entry->gr_gid == 0)) {
        log_error("%s is no group to run in", group);
        return false;
    }
    return become(user, account->pw_uid, account->pw_gid, entry != NULL ? 1 : 0,
                  entry != NULL ? &entry->gr_gid : NULL);
}

/* Have this right and no other one, as far as it can be had. */
static bool keep_only(int capability)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct had[_LINUX_CAPABILITY_U32S_3];
    struct __user_cap_data_struct kept[_LINUX_CAPABILITY_U32S_3] = {0};
    struct __user_cap_data_struct have[_LINUX_CAPABILITY_U32S_3];
    struct __user_cap_data_struct *word = &kept[capability / 32];

    if (syscall(SYS_capget, &header, had) != 0)
        return false;
    word->permitted = had[capability / 32].permitted & UINT32_C(1) << capability % 32;
    word->effective = word->permitted;
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0L, 0L, 0L) == 0 &&
           syscall(SYS_capset, &header, kept) == 0 && syscall(SYS_capget, &header, have) == 0 &&
           memcmp(have, kept, sizeof have) == 0; /* proof, not hope */
}

enum { NO_CAPABILITY = -1 };

static bool drop_privileges(const char *user, const char *group, int capability)
{
    bool keeps = capability != NO_CAPABILITY;

    if (keeps && prctl(PR_SET_KEEPCAPS, 1L, 0L, 0L, 0L) != 0) {
        log_error("cannot keep a right: %m");
        return false;
    }
    if (geteuid() == 0 && !drop_root(user, group))
        return false;
    if (keeps && (!keep_only(capability) || prctl(PR_SET_KEEPCAPS, 0L, 0L, 0L, 0L) != 0)) {
        log_error("become user %s: some rights are not what they should be: %m", user);
        return false;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0 ||
        prctl(PR_GET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L) != 1) {
        log_error("cannot set no_new_privs: %m");
        return false;
    }
    return true;
}

bool daemon_drop_privileges(const char *user, const char *group)
{
    return drop_privileges(user, group, NO_CAPABILITY);
}

bool daemon_drop_privileges_but(const char *user, const char *group, int capability)
{
    return drop_privileges(user, group, capability);
}
