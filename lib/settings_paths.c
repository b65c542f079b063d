/* settings_paths - what follows from the parameters: times, paths and names */
#include "lib/settings.h"

#include <stdio.h>

enum { FRONTEND_BACKOFF_MAX_S = 300 }; /* Postfix's own minimal_backoff_time */

int settings_frontend_backoff_s(const struct settings *settings)
{
    int backoff_s = (settings->decision_lifetime_s - 60) / 2;

    return backoff_s < FRONTEND_BACKOFF_MAX_S ? backoff_s : FRONTEND_BACKOFF_MAX_S;
}

bool settings_path(const struct settings *settings, const char *below_root, char path_r[PATH_MAX])
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s%s", settings->root, below_root);

    if (len < 0 || (size_t)len >= sizeof path)
        return false;
    snprintf(path_r, PATH_MAX, "%s", path);
    return true;
}

void settings_instance_name(int instance, char name_r[SETTINGS_NAME_SIZE])
{
    if (instance == PEG_FRONTEND)
        snprintf(name_r, SETTINGS_NAME_SIZE, "postfix-frontend");
    else
        snprintf(name_r, SETTINGS_NAME_SIZE, "postfix%d", instance);
}
