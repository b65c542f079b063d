/* users - the system users that Postfix's parts run as, each its own (INSTANCE_USERS) */
#include "gen/users.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/mem.h"
#include "admin/process.h"

/* A user whose group is missing was left by a useradd that was killed. */
static bool is_whole(const char *name)
{
    const struct passwd *user = getpwnam(name);

    return user != NULL && getgrgid(user->pw_gid) != NULL;
}

void users_find_missing(const struct settings *settings, struct pairs *missing)
{
    char name[SETTINGS_NAME_SIZE];

    for (int n = PEG_FIRST; settings->instance_users && n < settings->priority_count; n++) {
        if (!settings_has(settings, n))
            continue;
        settings_instance_name(n, name);
        if (!is_whole(name))
            pairs_set(missing, name, "");
    }
    if (settings->instance_users && !is_whole(SETTINGS_BOUNCE_USER))
        pairs_set(missing, SETTINGS_BOUNCE_USER, "");
}

bool users_share_group(const char *name, const char *owner)
{
    const struct passwd *user = getpwnam(owner);
    const struct group *group = user != NULL ? getgrgid(user->pw_gid) : NULL;
    bool found = false;

    for (char **member = group != NULL ? group->gr_mem : NULL; member != NULL && *member != NULL;
         member++)
        found = found || strcmp(*member, name) == 0;
    user = getpwnam(name);
    return found || (group != NULL && user != NULL && user->pw_gid == group->gr_gid);
}

void users_find_strangers(const struct settings *settings, struct pairs *strangers)
{
    char urgent[SETTINGS_NAME_SIZE], frontend[SETTINGS_NAME_SIZE];

    settings_instance_name(PEG_URGENT, urgent);
    settings_instance_name(PEG_FRONTEND, frontend);
    if (settings->instance_users && settings_has(settings, PEG_URGENT) &&
        !users_share_group(urgent, frontend))
        pairs_set(strangers, urgent, frontend);
}

static const char *no_shell(void)
{
    static const char *const shells[] = {"/usr/sbin/nologin", "/sbin/nologin"};

    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (access(shells[i], X_OK) == 0)
            return shells[i];
    return "/bin/false";
}

static bool make(const char *name)
{
    const struct passwd *user = getpwnam(name);
    const struct group *group = getgrnam(name);
    char *gid = mem_printf("%lu", user != NULL ? (unsigned long)user->pw_gid : 0ul);
    const char *const add_group[] = {"groupadd", "--system", "--gid", gid, name, NULL};
    const char *const add_user[] = {"useradd",
                                    "--system",
                                    "--home-dir",
                                    "/nonexistent",
                                    "--shell",
                                    no_shell(),
                                    "--comment",
                                    "Postfix of the priority email gateway",
                                    group != NULL ? "--gid" : "--user-group",
                                    group != NULL ? name : "--no-create-home",
                                    name,
                                    NULL};
    bool good = process_run(user != NULL ? add_group : add_user);

    free(gid);
    return good;
}

static bool join(const char *name, const char *owner)
{
    const struct passwd *user = getpwnam(owner);
    const struct group *group = user != NULL ? getgrgid(user->pw_gid) : NULL;
    const char *const argv[] = {
        "usermod", "--append", "--groups", group != NULL ? group->gr_name : owner, name, NULL};

    return process_run(argv);
}

bool users_make(const struct pairs *missing, const struct pairs *strangers)
{
    for (size_t i = 0; i < missing->count; i++)
        if (!make(missing->items[i].name)) {
            fprintf(stderr,
                    "%s: this user cannot be made; make it by hand (useradd --system), or set "
                    "INSTANCE_USERS=no\n",
                    missing->items[i].name);
            return false;
        }
    for (size_t i = 0; i < strangers->count; i++)
        if (!join(strangers->items[i].name, strangers->items[i].value)) {
            fprintf(stderr,
                    "%s: this user cannot be put into the group of %s; do it by hand (usermod "
                    "--append --groups), or set INSTANCE_USERS=no\n",
                    strangers->items[i].name, strangers->items[i].value);
            return false;
        }
    return true;
}
