/* settings_paths - what follows from the parameters: paths, names and the like */
#include "lib/settings.h"

#include <stdio.h>

bool settings_is_local(const struct settings *settings, int n)
{
    return settings->instance[n].nexthop == NULL || settings->instance[n].nexthop[0] == '\0';
}

bool settings_is_frontend(int instance)
{
    return instance < 0;
}

bool settings_has(const struct settings *settings, int instance)
{
    if (settings_is_frontend(instance))
        return settings_listen(settings, instance)[0] != NULL;
    return instance < settings->priority_count && settings_is_local(settings, instance);
}

const struct settings_instance *settings_own(const struct settings *settings, int instance)
{
    if (instance == PEG_URGENT)
        return &settings->urgent;
    return instance == PEG_FRONTEND ? &settings->frontend : &settings->instance[instance];
}

char **settings_listen(const struct settings *settings, int instance)
{
    return instance == PEG_URGENT ? settings->urgent_listen : settings->frontend_listen;
}

int settings_nice_level(int level)
{
    const int highest = 19;

    return level < highest ? level : highest;
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
    else if (instance == PEG_URGENT)
        snprintf(name_r, SETTINGS_NAME_SIZE, "postfix-urgent");
    else
        snprintf(name_r, SETTINGS_NAME_SIZE, "postfix%d", instance);
}

void settings_bounce_address(const char *name, char address_r[SETTINGS_BOUNCE_ADDRESS_SIZE])
{
    snprintf(address_r, SETTINGS_BOUNCE_ADDRESS_SIZE, "bouncemanager@%.*s.invalid",
             SETTINGS_NAME_SIZE - 1, name);
}
