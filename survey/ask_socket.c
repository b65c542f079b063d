/* ask_socket - the socket where peg-monitor is asked, and the folder that keeps strangers out */
#include "survey/ask_socket.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/daemon.h"
#include "lib/log.h"

enum { BACKLOG = 1024, CONNECT_LIMIT_S = 10 };

bool ask_socket_place(const struct settings *settings)
{
    const char *group = settings->monitoring_group;
    char folder[PATH_MAX];

    if (!settings_path(settings, SETTINGS_MONITOR_DIR, folder)) {
        log_error("the path %s is too long", settings->root);
        return false;
    }
    if (group != NULL && getgrnam(group) == NULL) {
        log_warn("MONITORING_GROUP: there is no group %s, so peg-monitor can be asked by root "
                 "alone; make it (groupadd --system %s), and restart this",
                 group, group);
        return daemon_folder(folder, settings->daemon_user, NULL, 0700);
    }
    return daemon_folder(folder, settings->daemon_user, group, 02750);
}

/* false with errno */
static bool address_of(const struct settings *settings, struct sockaddr_un *address_r)
{
    char path[PATH_MAX];

    *address_r = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (!settings_path(settings, SETTINGS_MONITOR_SOCKET, path) ||
        strlen(path) >= sizeof address_r->sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    strcpy(address_r->sun_path, path);
    return true;
}

static int connect_to(const struct sockaddr_un *address, int flags)
{
    const struct timeval limit = {.tv_sec = CONNECT_LIMIT_S};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    int error;

    /* Of a unix socket it holds for connect(2) as well. */
    if (fd < 0 || (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 &&
                   connect(fd, (const struct sockaddr *)address, sizeof *address) == 0))
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

int ask_socket_connect(const struct settings *settings)
{
    struct sockaddr_un address;

    return address_of(settings, &address) ? connect_to(&address, 0) : -1;
}

/* Remove what nobody listens on any more. Returns false after logging what else is there. */
static bool make_room(const struct sockaddr_un *address)
{
    struct stat status;
    int fd;

    if (lstat(address->sun_path, &status) != 0)
        return errno == ENOENT;
    if (!S_ISSOCK(status.st_mode)) {
        log_error("%s is no socket, and stands where one is to be: remove it", address->sun_path);
        return false;
    }
    fd = connect_to(address, SOCK_NONBLOCK);
    if (fd >= 0 || errno != ECONNREFUSED) {
        log_error("%s: another program listens there: end it", address->sun_path);
        if (fd >= 0)
            close(fd);
        return false;
    }
    return unlink(address->sun_path) == 0 || errno == ENOENT;
}

int ask_socket_listen(const struct settings *settings)
{
    struct sockaddr_un address;
    mode_t mask;
    bool good;
    int fd = -1;

    errno = 0;
    if (!address_of(settings, &address)) {
        log_error("%s%s: %m", settings->root, SETTINGS_MONITOR_SOCKET);
        return -1;
    }
    if (!make_room(&address))
        return -1;
    mask = umask(0117);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    good = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
           listen(fd, BACKLOG) == 0;
    umask(mask);
    if (good)
        return fd;
    log_error("%s: cannot be listened on: %m", address.sun_path);
    if (fd >= 0)
        close(fd);
    return -1;
}

void ask_socket_remove(const struct settings *settings)
{
    struct sockaddr_un address;

    if (address_of(settings, &address))
        unlink(address.sun_path);
}

/* The folder's group, which root has given it, or else the one that it would get. */
void ask_socket_group(const struct settings *settings, char group_r[ASK_SOCKET_GROUP_SIZE])
{
    const struct passwd *user;
    const struct group *group = NULL;
    char folder[PATH_MAX];
    struct stat status;

    if (settings_path(settings, SETTINGS_MONITOR_DIR, folder) && stat(folder, &status) == 0 &&
        (status.st_mode & S_IXGRP) != 0)
        group = getgrgid(status.st_gid);
    else if (settings->monitoring_group == NULL && (user = getpwnam(settings->daemon_user)) != NULL)
        group = getgrgid(user->pw_gid);
    snprintf(group_r, ASK_SOCKET_GROUP_SIZE, "%s",
             group != NULL                        ? group->gr_name
             : settings->monitoring_group != NULL ? settings->monitoring_group
                                                  : settings->daemon_user);
}
