/* check_access - whether the daemons' user can read what they have to */
#include "gen/check_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/as_user.h"
#include "admin/mem.h"

enum { LOOK_MS = 5000 };

/* The first folder on the way to a file that this user cannot enter, or the file itself. */
static bool can_read(void *arg, char text_r[AS_USER_TEXT_SIZE])
{
    char *path = arg;

    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (access(path, X_OK) != 0) {
            snprintf(text_r, AS_USER_TEXT_SIZE, "%s", path);
            return false;
        }
        *slash = '/';
    }
    snprintf(text_r, AS_USER_TEXT_SIZE, "%s", path);
    return access(path, R_OK) == 0;
}

/* As root alone: peg-milter refuses to start with files that it could not read again. */
void check_access(const struct settings *settings, struct diag *diag)
{
    static const char *const files[] = {SETTINGS_CONF_FILE, SETTINGS_RULES_FILE};
    char *socket_dir = mem_printf("%s" SETTINGS_FRONTEND_SPOOL "/peg", settings->root);
    struct stat status;

    for (size_t i = 0; geteuid() == 0 && i < sizeof files / sizeof files[0]; i++) {
        char *path = mem_printf("%s%s", settings->root, files[i]);
        char text[AS_USER_TEXT_SIZE];

        if (!as_user(settings->daemon_user, NULL, can_read, path, LOOK_MS, text))
            diag_error(diag, path, 0,
                       "user %s of the daemons cannot read this: %s keeps it out; give it access, "
                       "as with chmod o+%s",
                       settings->daemon_user, text, strcmp(text, path) == 0 ? "r" : "x");
        free(path);
    }
    if (lstat(socket_dir, &status) == 0 && !S_ISDIR(status.st_mode))
        diag_error(diag, socket_dir, 0,
                   "is in the way: peg-milter's folder for its socket has to be there; remove it");
    free(socket_dir);
}
