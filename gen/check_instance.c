/* check_instance - what keeps mail of a frontend out of an instance */
#include "gen/check_parts.h"

#include <stdlib.h>
#include <string.h>

#include "admin/mem.h"
#include "gen/where.h"

static const char *value_of(const struct work_folder *folder, const char *parameter)
{
    return pairs_get(&folder->present.conf.main, parameter);
}

static bool is_yes(const struct work_folder *folder, const char *parameter)
{
    const char *value = value_of(folder, parameter);

    return value != NULL && strcmp(value, "yes") == 0;
}

/* Whether a frontend has yes there. */
static bool is_yes_before(const struct work *work, const char *parameter)
{
    bool found = false;

    for (size_t i = 0; i < work->folder_count; i++)
        found =
            found || (work_is_frontend(&work->folders[i]) && is_yes(&work->folders[i], parameter));
    return found;
}

/* What trivial-rewrite(8) takes for an address: that of an instance answers its smtpd, too. */
void check_instance(const struct work *work, const struct work_folder *folder, struct diag *diag)
{
    static const struct {
        const char *parameter; /* no by default */
        const char *example;
    } permits[] = {
        {"resolve_numeric_domain", "user@192.0.2.1"},
        {"resolve_null_domain", "user@"},
        {"allow_min_user", "-user@example.org"},
    };
    const char *dir = check_dir(work, folder);
    char *file = mem_printf("%s/main.cf", dir);

    for (size_t i = 0; i < sizeof permits / sizeof permits[0]; i++) {
        const char *parameter = permits[i].parameter;

        if (is_yes_before(work, parameter) && !is_yes(folder, parameter))
            diag_warning(diag, file, where_parameter(dir, parameter),
                         "%s is yes in the frontend and not here: mail to %s comes back; set it "
                         "here, too",
                         parameter, permits[i].example);
    }
    free(file);
}

/* Whether master_service_disable turns one of our listeners off: "inet", or "20004.inet". */
static bool is_disabled(const struct work_folder *folder, const char *disabled)
{
    const struct pairs *const lists[] = {&folder->plan->services, &folder->plan->absent};
    bool found = difference_has_word(disabled, "inet", NULL);

    for (size_t list = 0; list < 2; list++)
        for (size_t i = 0; !found && i < lists[list]->count; i++) {
            const char *name = lists[list]->items[i].name;
            size_t len = strcspn(name, "/");
            char *dotted = mem_printf("%.*s.%s", (int)len, name, name + len + 1);

            found = difference_has_word(disabled, dotted, NULL);
            free(dotted);
        }
    return found;
}

void check_reach(const struct work *work, const struct work_folder *folder, struct diag *diag)
{
    const char *protocols = value_of(folder, "inet_protocols");
    const char *disabled = value_of(folder, "master_service_disable");
    const char *dir = check_dir(work, folder);
    char *file = mem_printf("%s/main.cf", dir);

    if (protocols != NULL && strchr(protocols, '$') == NULL &&
        !difference_has_word(protocols, "ipv4", NULL) &&
        !difference_has_word(protocols, "all", NULL))
        diag_error(diag, file, where_parameter(dir, "inet_protocols"),
                   "inet_protocols = %s: the frontend reaches the instances at 127.0.0.1; add ipv4",
                   protocols);
    if (folder->present.exists && disabled != NULL && disabled[0] != '\0' &&
        pairs_get(&folder->plan->main, "master_service_disable") == NULL &&
        is_disabled(folder, disabled))
        diag_error(diag, file, where_parameter(dir, "master_service_disable"),
                   "master_service_disable = %s: %s would take no mail; take that out", disabled,
                   folder->plan->name);
    free(file);
}
