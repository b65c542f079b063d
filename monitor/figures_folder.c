/*
 * figures_folder - MONITORING_DIR, opened so that nobody else can choose where its files go
 *
 * The path is walked folder by folder with descriptors, never by name twice.
 */
#include "monitor/figures.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"

enum { MODE = 0755 };

struct way {
    const char *path; /* the part that has been walked, for the log */
    uid_t uid;        /* of DAEMON_USER, as this process is or will be */
    gid_t gid;
    bool is_root;
};

/* Log why a folder cannot be used. Returns false. */
static bool refuse(const struct way *way, const char *why)
{
    log_error("MONITORING_DIR: %s %s", way->path, why);
    return false;
}

static bool is_link(int parent_fd, const char *name)
{
    struct stat status;

    return fstatat(parent_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
}

/* Open the folder name in parent_fd, or make it; *made_r says which. -1 after logging why. */
static int open_or_make(const struct way *way, int parent_fd, const char *name, bool is_last,
                        bool *made_r)
{
    int fd;

    *made_r = mkdirat(parent_fd, name, MODE) == 0;
    if (!*made_r && errno != EEXIST) {
        log_error("MONITORING_DIR: %s: cannot be made: %m", way->path);
        return -1;
    }
    fd = openat(parent_fd, name,
                (*made_r || is_last ? O_RDONLY : O_PATH) | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && is_link(parent_fd, name))
        refuse(way, "is a symbolic link: name the folder itself");
    else if (fd < 0 && errno == ENOTDIR)
        refuse(way, "is not a folder: remove it, or name another one");
    else if (fd < 0)
        log_error("MONITORING_DIR: %s: %m", way->path);
    return fd;
}

/* A folder on the way there must be one that strangers cannot exchange. */
static bool check_parent(const struct way *way, const struct stat *status)
{
    bool is_open = (status->st_mode & S_IWOTH) != 0 && (status->st_mode & S_ISVTX) == 0;

    if (status->st_uid != 0 && status->st_uid != way->uid)
        return refuse(way, "belongs to another user than root and DAEMON_USER: name another one");
    return !is_open || refuse(way, "can be written by everybody: name another one");
}

/* The folder itself; one that was made just now is given to DAEMON_USER. */
static bool take(const struct way *way, int fd, const struct stat *status, bool made)
{
    if (made && way->is_root && status->st_uid == 0) {
        if (fchmod(fd, MODE) == 0 && fchown(fd, way->uid, way->gid) == 0)
            return true;
        log_error("MONITORING_DIR: owner and mode of %s: %m", way->path);
        return false;
    }
    if (status->st_uid != way->uid)
        return refuse(way, "belongs to somebody else than DAEMON_USER: remove it, or name another "
                           "one");
    if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return refuse(way, "can be written by others than DAEMON_USER: remove it, or name another "
                           "one");
    return !made || fchmod(fd, MODE) == 0;
}

/* Go from parent_fd, which is closed, to the folder name in it. -1 after logging why. */
static int step(const struct way *way, int parent_fd, const char *name, bool is_last)
{
    struct stat status;
    bool made, good;
    int fd = open_or_make(way, parent_fd, name, is_last, &made);

    close(parent_fd);
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) != 0) {
        log_error("MONITORING_DIR: %s: %m", way->path);
        good = false;
    } else if (is_last) {
        good = take(way, fd, &status, made);
    } else {
        good = check_parent(way, &status) && (!made || fchmod(fd, MODE) == 0);
    }
    if (good)
        return fd;
    close(fd);
    return -1;
}

/* Who this process is to be. */
static bool find_user(const struct settings *settings, struct way *way_r)
{
    const struct passwd *account;

    way_r->is_root = geteuid() == 0;
    way_r->uid = geteuid();
    way_r->gid = getegid();
    if (!way_r->is_root)
        return true;
    if ((account = getpwnam(settings->daemon_user)) == NULL) {
        log_error("there is no user %s: create it, or set DAEMON_USER", settings->daemon_user);
        return false;
    }
    way_r->uid = account->pw_uid;
    way_r->gid = account->pw_gid;
    return true;
}

int figures_open(const struct settings *settings, char path_r[PATH_MAX])
{
    struct way way = {.path = path_r};
    char *at = path_r + strlen(settings->root);
    int fd;

    if (!settings_path(settings, settings->monitoring_dir, path_r)) {
        log_error("MONITORING_DIR: the path %s is too long", settings->monitoring_dir);
        return -1;
    }
    if (!find_user(settings, &way))
        return -1;
    fd = open(settings->root[0] != '\0' ? settings->root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        log_error("MONITORING_DIR: %s/: %m", settings->root);
    while (fd >= 0 && *(at += strspn(at, "/")) != '\0') {
        char *end = at + strcspn(at, "/");
        char slash = *end;

        *end = '\0'; /* it names what has been walked */
        fd = step(&way, fd, at, slash == '\0');
        *end = slash;
        at = end;
    }
    return fd;
}
