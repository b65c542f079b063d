/* check_work - the checks that need to know what configuration folders and queues there are */
#include "gen/check.h"

#include <stdlib.h>
#include <string.h>

#include "gen/check_parts.h"
#include "admin/files.h"
#include "gen/gone.h"
#include "gen/where.h"
#include "admin/mem.h"
#include "admin/part.h"
#include "ctl/ports.h"

const char *check_dir(const struct work *work, const struct work_folder *folder)
{
    return folder->present.exists ? folder->plan->dir : work->template_dir;
}

/* A folder in our way that is another instance's, or half of one. */
static void check_folder(const struct work_folder *folder, struct diag *diag)
{
    const char *dir = folder->plan->dir;
    const char *name = pairs_get(&folder->present.conf.main, "multi_instance_name");
    char *main = mem_printf("%s/main.cf", dir);
    char *master = mem_printf("%s/master.cf", dir);

    if (folder->present.exists && name != NULL && name[0] != '\0' &&
        strcmp(name, folder->plan->registered_name) != 0)
        diag_error(diag, main, 0, "belongs to another Postfix instance: multi_instance_name = %s",
                   name);
    else if (files_is_file(main) != files_is_file(master))
        diag_error(diag, dir, 0,
                   "has one of main.cf and master.cf only; restore the other, or remove "
                   "this folder to have it made anew");
    else if (!files_is_file(main) && files_has_entries(dir))
        diag_error(diag, dir, 0,
                   "has neither main.cf nor master.cf, but other files; restore those two, or move "
                   "the others away to have this folder made anew");
    free(main);
    free(master);
}

/* postconf(1) says nothing where an option is for a service that is not there. */
static void check_options(const struct work *work, const struct work_folder *folder,
                          struct diag *diag)
{
    const struct plan *plan = folder->plan;
    char *master = mem_printf("%s/master.cf", check_dir(work, folder));
    bool known = folder->present.exists || !work->template_missing;

    for (size_t i = 0; known && i < plan->options.count; i++) {
        const char *name = plan->options.items[i].name;
        const char *option = strrchr(name, '/');
        char *service = mem_dup_len(name, option != NULL ? (size_t)(option - name) : 0);

        if (pairs_get(&folder->present.conf.services, service) == NULL &&
            pairs_get(&plan->services, service) == NULL &&
            pairs_get(&plan->absent, service) == NULL)
            diag_error(diag, master, 0,
                       "there is no service %s, whose option %s is needed; restore it as it is in "
                       "master.cf.proto",
                       service, option != NULL ? option + 1 : "");
        free(service);
    }
    free(master);
}

/* Postfix itself says nothing of it, and its programs would work on the queue of /etc/postfix. */
static void check_environment(const struct work *work, const struct work_folder *folder,
                              struct diag *diag)
{
    const char *list = pairs_get(&folder->present.conf.main, PLAN_ENVIRONMENT);
    const char *dir = check_dir(work, folder);
    char *file = mem_printf("%s/main.cf", dir);

    if (list != NULL && strchr(list, '$') == NULL && strstr(list, "MAIL_CONFIG=") == NULL &&
        !difference_has_word(list, "MAIL_CONFIG", NULL))
        diag_error(diag, file, where_parameter(dir, PLAN_ENVIRONMENT),
                   PLAN_ENVIRONMENT " = %s: programs of %s would read another Postfix's "
                                    "configuration; add MAIL_CONFIG",
                   list, folder->plan->name);
    free(file);
}

/* One of the inet services of the template that has a port which a frontend is to have. */
static const char *find_clash(const struct settings *settings, const struct pairs *services)
{
    for (size_t i = 0; i < services->count; i++) {
        const char *name = services->items[i].name;
        size_t len = strcspn(name, "/");
        char *service = mem_dup_len(name, len);
        bool clash = false;

        for (int n = PEG_FIRST; settings_is_frontend(n); n++)
            for (char **listen = settings_listen(settings, n); *listen != NULL; listen++)
                clash =
                    clash || (strcmp(name + len, "/inet") == 0 && ports_clash(service, *listen));
        free(service);
        if (clash)
            return name;
    }
    return NULL;
}

/*
 * The host's own Postfix and a frontend would share a port in silence (ctl/ports.h). Where it
 * does not run it may at the next boot, which below --root nobody does. Returns whether they do.
 */
static bool check_template_listener(const struct work *work, struct diag *diag)
{
    char *queue_dir = postconf_expanded(work->template_dir, "queue_directory");
    char *disabled = postconf_expanded(work->template_dir, "master_service_disable");
    char *pid_file = mem_printf("%s/pid/master.pid", queue_dir != NULL ? queue_dir : "");
    const char *name = NULL;
    bool clash = false;

    if (disabled != NULL && strstr(disabled, "inet") == NULL)
        name = find_clash(work->settings, &work->template_conf.services);
    clash = name != NULL && part_pid_file_held(pid_file, NULL) == 1;
    if (clash)
        diag_error(
            diag, work->template_dir, 0,
            "this Postfix runs and listens where the frontend is to listen: %s; take that out "
            "(postconf -MX %s; postfix reload), or stop this Postfix for good",
            name, name);
    else if (name != NULL && work->settings->root[0] == '\0')
        diag_warning(diag, work->template_dir, 0,
                     "this Postfix, when it is started, listens where the frontend listens: %s; "
                     "take that out (postconf -MX %s)",
                     name, name);
    free(pid_file);
    free(disabled);
    free(queue_dir);
    return clash;
}

unsigned check_work(const struct work *work, bool may_wait, bool drain, struct diag *diag)
{
    unsigned before = diag->warnings;

    for (size_t i = 0; i < work->folder_count; i++) {
        const struct work_folder *folder = &work->folders[i];

        check_folder(folder, diag);
        check_options(work, folder, diag);
        check_environment(work, folder, diag);
        check_reach(work, folder, diag);
        if (!work_is_frontend(folder))
            check_instance(work, folder, diag);
    }
    gone_check(work, may_wait, drain, diag);
    check_bounce(work->settings, diag);
    for (size_t i = 0; i < work->folder_count; i++)
        if (work_is_frontend(&work->folders[i])) {
            check_frontend(work, &work->folders[i], diag);
            check_socket(work, &work->folders[i], diag);
            check_actions(work, &work->folders[i], diag);
        }
    if (work->template_missing || !check_template_listener(work, diag))
        check_ports(work, diag);
    return diag->warnings - before;
}
