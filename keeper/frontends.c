/* frontends - the Postfixes whose queues may hold mail that something was decided for */
#include "keeper/frontends.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "admin/postconf.h"
#include "lib/log.h"

static bool path_of(const struct settings *settings, const char *parent, int instance,
                    char path_r[PATH_MAX])
{
    char name[SETTINGS_NAME_SIZE];
    int len;

    settings_instance_name(instance, name);
    len = snprintf(path_r, PATH_MAX, "%s%s/%s", settings->root, parent, name);
    if (len > 0 && len < PATH_MAX)
        return true;
    log_error("the path %s is too long", settings->root);
    return false;
}

/* Also where that cannot be seen. */
static bool may_be_there(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 || errno != ENOENT;
}

static bool has_word(const char *list, const char *word)
{
    static const char separators[] = ", \t";

    while (*(list += strspn(list, separators)) != '\0') {
        size_t len = strcspn(list, separators);

        if (len == strlen(word) && strncmp(list, word, len) == 0)
            return true;
        list += len;
    }
    return false;
}

/* Whether a folder stands in Postfix's list: 1, 0, or -1 after logging that it cannot be told. */
static int is_listed(const struct settings *settings, const char *folder)
{
    char template[PATH_MAX];
    char *list = NULL;
    int listed;

    if (settings_path(settings, "/etc/postfix", template))
        list = postconf_expanded(template, "multi_instance_directories");
    if (list == NULL) {
        log_error("%s/etc/postfix: its multi_instance_directories cannot be read, which tell "
                  "whether Postfix still has %s",
                  settings->root, folder);
        return -1;
    }
    listed = has_word(list, folder);
    free(list);
    return listed;
}

/* Whether the urgent frontend is to be asked: 1, 0, or -1 as above. */
static int is_needed(const struct settings *settings, const char *folder)
{
    char spool[PATH_MAX];

    if (!path_of(settings, "/var/spool", PEG_URGENT, spool))
        return -1;
    if (!may_be_there(folder) && !may_be_there(spool))
        return 0; /* peg-gen apply has not made it yet */
    return settings_has(settings, PEG_URGENT) ? 1 : is_listed(settings, folder);
}

bool frontends_find(const struct settings *settings, struct frontends *frontends_r)
{
    frontends_r->count = 0;
    for (int n = PEG_FIRST; settings_is_frontend(n); n++) {
        char *folder = frontends_r->folders[frontends_r->count];
        int needed = 1;

        if (!path_of(settings, "/etc", n, folder))
            return false;
        if (n == PEG_URGENT)
            needed = is_needed(settings, folder);
        if (needed < 0)
            return false;
        if (needed == 1)
            frontends_r->items[frontends_r->count++] = (struct look_frontend){n, folder};
    }
    return true;
}
