/* postqueue - Postfix's program that lists the queue: where it is, and who may use it */
#include "admin/postqueue.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/daemon.h"

#define PROGRAM "postqueue"
#define FOLDER_OF_LAST_RESORT "/usr/sbin"

static bool is_program(const char *path)
{
    struct stat status;

    return access(path, X_OK) == 0 && stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

bool postqueue_find(char path_r[PATH_MAX])
{
    const char *folder = getenv("PATH");
    char path[PATH_MAX];

    while (folder != NULL && *folder != '\0') {
        size_t len = strcspn(folder, ":");
        int path_len = snprintf(path, sizeof path, "%.*s/" PROGRAM, (int)len, folder);

        if (*folder == '/' && path_len > 0 && (size_t)path_len < sizeof path && is_program(path)) {
            memcpy(path_r, path, (size_t)path_len + 1);
            return true;
        }
        folder += len + (folder[len] == ':' ? 1 : 0);
    }
    snprintf(path_r, PATH_MAX, FOLDER_OF_LAST_RESORT "/" PROGRAM);
    return is_program(path_r);
}

static bool name_of_group(gid_t gid, char group_r[POSTQUEUE_GROUP_SIZE])
{
    const struct group *entry = gid != 0 ? getgrgid(gid) : NULL;

    return entry != NULL &&
           snprintf(group_r, POSTQUEUE_GROUP_SIZE, "%s", entry->gr_name) < POSTQUEUE_GROUP_SIZE;
}

bool postqueue_group(const char *queue_dir, char group_r[POSTQUEUE_GROUP_SIZE])
{
    char path[PATH_MAX];
    struct stat status;

    if (snprintf(path, sizeof path, "%s/public", queue_dir) < PATH_MAX &&
        stat(path, &status) == 0 && name_of_group(status.st_gid, group_r))
        return true;
    return postqueue_find(path) && stat(path, &status) == 0 && (status.st_mode & S_ISGID) != 0 &&
           name_of_group(status.st_gid, group_r);
}

bool postqueue_drop_privileges(const struct settings *settings)
{
    char spool[PATH_MAX], group[POSTQUEUE_GROUP_SIZE];
    bool is_known =
        settings_path(settings, SETTINGS_FRONTEND_SPOOL, spool) && postqueue_group(spool, group);

    return daemon_drop_privileges(settings->daemon_user, is_known ? group : NULL);
}
