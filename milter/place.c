/* place - the folder of peg-milter's socket, inside the frontend's queue directory */
#include "milter/place.h"

#include "lib/daemon.h"
#include "lib/log.h"
#include "lib/startup.h"

bool place_make(const struct settings *settings)
{
    char folder[PATH_MAX], group[STARTUP_GROUP_SIZE];

    if (!startup_frontend_group(settings, group)) {
        log_error("%s%s: there is none, or its owner has no group; run peg-gen apply first",
                  settings->root, SETTINGS_FRONTEND_DATA);
        return false;
    }
    if (settings_path(settings, SETTINGS_FRONTEND_SPOOL "/peg", folder))
        return daemon_folder(folder, settings->daemon_user, group, 02750);
    log_error("the path %s is too long", settings->root);
    return false;
}
