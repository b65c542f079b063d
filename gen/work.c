/* work - all that peg-gen would change in a gateway */
#include "gen/work.h"

#include <stdlib.h>
#include <string.h>

#include "admin/files.h"
#include "admin/mem.h"
#include "ctl/alias_index.h"
#include "gen/cf_text.h"
#include "gen/folder.h"
#include "gen/owner.h"
#include "gen/plan_bounce.h"
#include "gen/template.h"
#include "gen/users.h"
#include "lib/file.h"

enum { TABLE_SIZE_MAX = 1 << 20 };
enum { NOT_OURS = PEG_FIRST - 1 };

static void look_at_files(struct present *present, const struct pairs *files)
{
    for (size_t i = 0; i < files->count; i++) {
        const char *path = files->items[i].name;
        size_t len;
        char *text = file_read(path, TABLE_SIZE_MAX, &len);

        if (text != NULL)
            pairs_set(&present->files, path, text);
        free(text);
    }
}

/* What of a plan's files and folders is there. */
static void look(struct present *present, const struct plan *plan)
{
    const char *const folders[] = {plan->queue_dir, plan->data_dir};
    char *bounce_user = owner_of(plan->bounce_dir);

    for (int file = CF_MAIN; file <= CF_MASTER; file++) {
        char *path = mem_printf("%s/%s", plan->dir, cf_file_name((enum cf_file)file));
        size_t len;

        present->text[file] = file_read(path, FILES_CF_SIZE_MAX, &len);
        free(path);
    }
    present->owner = owner_of(plan->data_dir);

    look_at_files(present, &plan->files);
    look_at_files(present, &plan->initial);
    for (size_t i = 0; i < 2; i++)
        if (files_is_folder(folders[i]))
            pairs_set(&present->folders, folders[i], "");
    if (bounce_user != NULL && strcmp(bounce_user, plan->bounce_user) == 0)
        pairs_set(&present->folders, plan->bounce_dir, "");
    free(bounce_user);
    present->alias_index = alias_index_is_fresh(plan->alias_table);
}

static bool has_file(const char *dir, const char *name)
{
    char *path = mem_printf("%s/%s", dir, name);
    bool found = files_is_file(path);

    free(path);
    return found;
}

/* Whether the registration of a folder is complete: in the list, with its name, not enabled. */
static bool is_registered(const struct work *work, const struct plan *plan,
                          const struct pairs *main)
{
    const char *name = pairs_get(main, "multi_instance_name");
    const char *group = pairs_get(main, "multi_instance_group");
    const char *enable = pairs_get(main, "multi_instance_enable");

    if (!registry_has(&work->registry, plan->dir))
        return false;
    if (!work->registry.with_postmulti)
        return true; /* these are ordinary parameters of the plan */
    return name != NULL && strcmp(name, plan->registered_name) == 0 && group != NULL &&
           strcmp(group, PLAN_GROUP) == 0 && (enable == NULL || strcmp(enable, "no") == 0);
}

static bool prepare_folder(struct work *work, struct work_folder *folder, int instance)
{
    struct plan *plan = folder->plan = plan_new(work->settings, instance, work->kept);
    struct present *present = &folder->present;
    struct bounce_facts facts;
    const char *facts_dir = work->template_missing ? NULL : work->template_dir;
    bool good;

    present->exists = has_file(plan->dir, "main.cf") && has_file(plan->dir, "master.cf");
    if (present->exists) {
        facts_dir = plan->dir;
        if (!postconf_read(plan->dir, &present->conf))
            return false;
    } else {
        present->conf = postconf_copy(&work->template_conf);
    }
    for (size_t i = 0; !present->exists && template_own_settings[i] != NULL; i++)
        pairs_remove(&present->conf.main, template_own_settings[i]);
    if (pairs_get(&present->conf.main, PLAN_ENVIRONMENT) == NULL)
        pairs_set(&present->conf.main, PLAN_ENVIRONMENT, work->environment);
    good = bounce_facts_find(&facts, facts_dir, work->table_types, &present->conf.main);
    if (good)
        plan_bounce(work->settings, &facts, plan);
    if (settings_is_frontend(instance))
        plan_cleanups(plan, &present->conf.services, !present->exists);
    bounce_facts_deinit(&facts);
    if (!good)
        return false;
    present->registered = present->exists && is_registered(work, plan, &present->conf.main);
    look(present, plan);
    difference_compute(&folder->difference, plan, present);
    return true;
}

bool work_is_gone(const struct work *work, int instance)
{
    for (size_t i = 0; i < work->gone_count; i++)
        if (work->gone[i].instance == instance)
            return true;
    return false;
}

/* Those of the numbers from first up to end. A frontend that goes first has to close its doors. */
static bool prepare_folders(struct work *work, int first, int end)
{
    for (int n = first; n < end; n++)
        if ((settings_has(work->settings, n) ||
             (work->keep && work_is_gone(work, n) && settings_is_frontend(n))) &&
            !prepare_folder(work, &work->folders[work->folder_count++], n))
            return false;
    return true;
}

/* The Postfix whose folder this is; NOT_OURS for other folders. */
static int instance_of(const struct settings *settings, const char *dir)
{
    char name[SETTINGS_NAME_SIZE];
    size_t root_len = strlen(settings->root);
    const char *base = dir + root_len + strlen("/etc/");

    if (strncmp(dir, settings->root, root_len) != 0 ||
        strncmp(dir + root_len, "/etc/", strlen("/etc/")) != 0)
        return NOT_OURS;
    for (int n = PEG_FIRST; n < SETTINGS_PRIORITY_MAX; n++) {
        settings_instance_name(n, name);
        if (strcmp(base, name) == 0)
            return n;
    }
    return NOT_OURS;
}

/*
 * Note those registered instances that the settings no longer have. Folders of others stay out.
 * This comes first: what is kept for them is part of the frontend's plan.
 */
static bool find_gone(struct work *work)
{
    for (size_t i = 0; i < work->registry.dir_count; i++) {
        const char *dir = work->registry.dirs[i];
        int n = instance_of(work->settings, dir);
        struct work_gone gone = {.instance = n};
        char *group;

        if (n == NOT_OURS || settings_has(work->settings, n) || !has_file(dir, "main.cf"))
            continue;
        group = postconf_expanded(dir, "multi_instance_group");
        if (group == NULL)
            return false;
        if (strcmp(group, PLAN_GROUP) == 0) {
            gone.dir = mem_dup(dir);
            gone.queue_dir =
                mem_printf("%s/var/spool%s", work->settings->root, strrchr(gone.dir, '/'));
            gone.registered_name = plan_registered_name(n);
            work->gone = mem_resize(work->gone, work->gone_count + 1, sizeof *work->gone);
            work->gone[work->gone_count++] = gone;
        }
        free(group);
    }
    return true;
}

bool work_prepare(struct work *work_r, const struct settings *settings, bool keep)
{
    struct work *work = work_r;

    *work = (struct work){.settings = settings, .keep = keep};
    work->template_dir = mem_printf("%s/etc/postfix", settings->root);
    work->template_missing = !has_file(work->template_dir, "main.cf");
    if (!work->template_missing && !postconf_read(work->template_dir, &work->template_conf))
        return false;
    work->table_types = postconf_table_types();
    work->environment = postconf_builtin(PLAN_ENVIRONMENT);
    if (work->table_types == NULL || work->environment == NULL)
        return false;
    registry_init(&work->registry, work->template_dir, settings->root[0] == '\0',
                  &work->template_conf.main);
    users_find_missing(settings, &work->users);
    users_find_strangers(settings, &work->members);
    if (!keep)
        dscp_change_init(&work->dscp, settings);
    units_prepare(settings, &work->units);
    snmpd_conf_init(&work->snmpd_conf, settings);
    if (!find_gone(work))
        return false;
    for (size_t i = 0; keep && i < work->gone_count; i++)
        if (work->gone[i].instance >= work->kept)
            work->kept = work->gone[i].instance + 1;
    return prepare_folders(work, 0, settings->priority_count) &&
           prepare_folders(work, PEG_FIRST, 0);
}

void work_deinit(struct work *work)
{
    for (size_t i = 0; i < work->folder_count; i++) {
        difference_deinit(&work->folders[i].difference);
        present_deinit(&work->folders[i].present);
        plan_free(&work->folders[i].plan);
    }
    for (size_t i = 0; i < work->gone_count; i++) {
        free(work->gone[i].dir);
        free(work->gone[i].queue_dir);
        free(work->gone[i].registered_name);
    }
    free(work->gone);
    pairs_deinit(&work->users);
    pairs_deinit(&work->members);
    dscp_change_deinit(&work->dscp);
    units_deinit(&work->units);
    snmpd_conf_deinit(&work->snmpd_conf);
    registry_deinit(&work->registry);
    postconf_deinit(&work->template_conf);
    free(work->template_dir);
    free(work->table_types);
    free(work->environment);
}

const struct work_folder *work_folder_of(const struct work *work, const struct part *part)
{
    for (size_t i = 0; i < work->folder_count; i++)
        if (part->dir != NULL && strcmp(work->folders[i].plan->dir, part->dir) == 0)
            return &work->folders[i];
    return NULL;
}

bool work_is_frontend(const struct work_folder *folder)
{
    return settings_is_frontend(folder->plan->instance);
}

const struct work_folder *work_frontend(const struct work *work)
{
    return &work->folders[work->folder_count - 1];
}

size_t work_count(const struct work *work)
{
    size_t count = work->gone_count + work->users.count + work->members.count +
                   (work->template_missing ? 1 : 0) + (work->registry.ready ? 0 : 1) +
                   (work->dscp.what == DSCP_KEEP ? 0 : 1) +
                   (work->snmpd_conf.what == SNMPD_CONF_KEEP ? 0 : 1) + units_count(&work->units);

    for (size_t i = 0; i < work->folder_count; i++)
        count += difference_count(&work->folders[i].difference);
    return count;
}

static void print_template(FILE *out, const struct work *work)
{
    if (work->template_missing)
        fprintf(out, "%s: new folder, made from Postfix's main.cf.proto and master.cf.proto\n",
                work->template_dir);
    if (!work->registry.ready)
        fprintf(out, "%s/main.cf: made ready for several instances%s\n", work->template_dir,
                work->registry.with_postmulti ? " (postmulti -e init)" : "");
    for (size_t i = 0; i < work->users.count; i++)
        fprintf(out, "user %s: new system user, with a group of its own\n",
                work->users.items[i].name);
    for (size_t i = 0; i < work->members.count; i++)
        fprintf(out, "user %s: joins the group of %s, who may speak to peg-milter\n",
                work->members.items[i].name, work->members.items[i].value);
}

static void print_gone(FILE *out, const struct work_gone *gone)
{
    fprintf(out, "%s: no more registered as %s; the folder and its queue stay\n", gone->dir,
            gone->registered_name);
}

void work_print(FILE *out, const struct work *work)
{
    print_template(out, work);
    for (size_t i = 0; i < work->folder_count; i++)
        difference_print(out, &work->folders[i].difference);
    for (size_t i = 0; !work->keep && i < work->gone_count; i++)
        print_gone(out, &work->gone[i]);
    dscp_change_print(out, &work->dscp);
    snmpd_conf_print(out, &work->snmpd_conf);
    units_print(out, &work->units);
}

/* The log of a gateway below --root, which belongs to Postfix, so that all its programs can write.
 */
static bool make_log(const struct work *work, const char *mail_owner, const char *bounce_user)
{
    char *folder = mem_printf("%s/var/log", work->settings->root);
    char *log = mem_printf("%s" SETTINGS_LOG_FILE, work->settings->root);
    bool good = work->settings->root[0] == '\0' ||
                (files_make_folder(folder, 0755, NULL) && files_make_empty(log, mail_owner) &&
                 files_share(log, bounce_user));

    free(folder);
    free(log);
    return good;
}

/* Its contents are of the last minute: a folder that is another user's is made anew. */
static bool make_bounce_folder(const struct difference *d)
{
    const char *dir = d->plan->bounce_dir;

    if (pairs_get(&d->folders, dir) != NULL)
        files_remove_folder(dir);
    return files_make_folder(dir, 0700, d->plan->bounce_user);
}

static bool carry_out_folder(struct work *work, const struct difference *d)
{
    const struct plan *plan = d->plan;
    char *mail_owner;
    bool good;

    if (d->owner &&
        !owner_change(plan->queue_dir, plan->data_dir, pairs_get(&plan->main, "mail_owner")))
        return false;
    if (!folder_change(work->template_dir, d))
        return false;
    mail_owner = postconf_expanded(plan->dir, "mail_owner");
    good = mail_owner != NULL && make_log(work, mail_owner, plan->bounce_user) &&
           files_make_folder(plan->queue_dir, 0755, NULL) &&
           files_make_folder(plan->data_dir, 0700, mail_owner) && make_bounce_folder(d) &&
           (!d->alias_index || alias_index_build(plan->dir, plan->alias_table)) &&
           (!d->registration || registry_add(&work->registry, plan));
    free(mail_owner);
    return good;
}

void work_clean(const struct work *work)
{
    folder_clean(work->template_dir);
    for (size_t i = 0; i < work->folder_count; i++) {
        folder_clean(work->folders[i].plan->dir);
        alias_index_clean(work->folders[i].plan->dir);
    }
}

bool work_carry_out(struct work *work, FILE *out)
{
    if (work->template_missing && !template_make(work->settings->root, work->template_dir))
        return false;
    if (!registry_prepare(&work->registry) || !users_make(&work->users, &work->members))
        return false;
    print_template(out, work);
    for (size_t i = 0; i < work->folder_count; i++) {
        const struct difference *d = &work->folders[i].difference;

        if (difference_count(d) == 0)
            continue;
        if (!carry_out_folder(work, d))
            return false;
        difference_print(out, d);
    }
    if (!dscp_change_carry_out(&work->dscp)) /* it names users, who are there now */
        return false;
    dscp_change_print(out, &work->dscp);
    if (!snmpd_conf_carry_out(&work->snmpd_conf))
        return false;
    snmpd_conf_print(out, &work->snmpd_conf);
    return units_carry_out(&work->units, out);
}

bool work_remove_gone(struct work *work, FILE *out)
{
    for (size_t i = 0; i < work->gone_count; i++) {
        const struct work_gone *gone = &work->gone[i];

        if (!registry_remove(&work->registry, gone->dir, gone->registered_name))
            return false;
        print_gone(out, gone);
    }
    return units_drop(&work->units, out);
}
