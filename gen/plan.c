/* plan - what the configuration folder of a frontend or of an instance has to say */
#include "gen/plan.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "admin/mem.h"
#include "gen/plan_parts.h"

char *plan_join_options(const char *const options[])
{
    char *text = mem_dup("");

    for (size_t i = 0; options[i] != NULL; i++) {
        char *longer = mem_printf("%s%s-o %s", text, i > 0 ? " " : "", options[i]);

        free(text);
        text = longer;
    }
    return text;
}

void plan_lifetime(struct plan *plan, const struct settings_instance *own)
{
    pairs_setf(&plan->main, "maximal_queue_lifetime", "%ds", own->queue_lifetime_s);
    pairs_setf(&plan->main, "bounce_queue_lifetime", "%ds", own->queue_lifetime_s);
}

/* What the frontends and all instances have in common. */
static void plan_common(const struct settings *settings, struct plan *plan)
{
    struct pairs *main = &plan->main;

    pairs_set(main, "queue_directory", plan->queue_dir);
    pairs_set(main, "data_directory", plan->data_dir);
    pairs_set(main, "syslog_name", plan->name);
    if (settings->instance_users)
        pairs_set(main, "mail_owner", plan->name);
    pairs_set(main, "mail_name", plan->name); /* stands in the Received header */
    /*
     * A header that is cut loses recipients of To, who would count as copies. For a milter Postfix
     * cuts at 60000 bytes whatever this says, which peg-milter knows about; it must not be less.
     */
    pairs_set(main, "header_size_limit", "102400");
    /* The same for headers of local clients: the default ends after some 2000 recipients. */
    pairs_set(main, "header_address_token_limit", "1048576");
    /*
     * To start one of Postfix's programs costs what a message does, and each ends after max_use.
     * After max_idle there is none left for mail that comes now and then, as urgent mail does.
     */
    pairs_set(&plan->unset, "max_use", "1000");
    pairs_set(&plan->unset, "max_idle", "1000s");
    /*
     * smtp(8) takes two buffers of four TCP segments for a message (util/vstream_tweak.c), 430 kB
     * on the loopback interface. malloc(3) would give the memory back each time, for the system to
     * make its pages anew: over a third of smtp(8)'s time there. First, for what an operator says
     * to win.
     */
    pairs_add(&plan->first, PLAN_ENVIRONMENT, "MALLOC_MMAP_THRESHOLD_=1048576");
    pairs_add(&plan->first, PLAN_ENVIRONMENT, "MALLOC_TRIM_THRESHOLD_=1048576");
    if (settings->root[0] == '\0')
        return; /* postmulti registers, and the log is the system's */
    pairs_set(main, "multi_instance_name", plan->registered_name);
    pairs_set(main, "multi_instance_group", PLAN_GROUP);
    pairs_set(main, "multi_instance_enable", "no"); /* gen/registry.h says why */
    pairs_setf(main, "maillog_file", "%s" SETTINGS_LOG_FILE, settings->root);
    pairs_setf(main, "maillog_file_prefixes", "%s/var/log", settings->root);
    pairs_set(&plan->absent, "postlog/unix-dgram", "postlog unix-dgram n - n - 1 postlogd");
}

char *plan_registered_name(int instance)
{
    char name[SETTINGS_NAME_SIZE];

    if (!settings_is_frontend(instance))
        return mem_printf("postfix-%d", instance);
    settings_instance_name(instance, name);
    return mem_dup(name);
}

struct plan *plan_new(const struct settings *settings, int instance, int kept)
{
    struct plan *plan = mem_resize(NULL, 1, sizeof *plan);

    *plan =
        (struct plan){.instance = instance,
                      .kept = kept > settings->priority_count ? kept : settings->priority_count};
    settings_instance_name(instance, plan->name);
    plan->registered_name = plan_registered_name(instance);
    plan->dir = mem_printf("%s/etc/%s", settings->root, plan->name);
    plan->queue_dir = mem_printf("%s/var/spool/%s", settings->root, plan->name);
    plan->data_dir = mem_printf("%s/var/lib/%s", settings->root, plan->name);
    plan_common(settings, plan);
    if (settings_is_frontend(instance))
        plan_frontend(settings, plan);
    else
        plan_instance(settings, plan);
    return plan;
}

void plan_free(struct plan **plan)
{
    struct plan *p = *plan;

    if (p == NULL)
        return;
    free(p->registered_name);
    free(p->dir);
    free(p->queue_dir);
    free(p->data_dir);
    pairs_deinit(&p->main);
    pairs_deinit(&p->unset);
    pairs_deinit(&p->first);
    pairs_deinit(&p->last);
    pairs_deinit(&p->services);
    pairs_deinit(&p->absent);
    pairs_deinit(&p->options);
    pairs_deinit(&p->files);
    pairs_deinit(&p->initial);
    free(p->alias_table);
    free(p->bounce_dir);
    free(p->bounce_user);
    free(p);
    *plan = NULL;
}

/* The priority of peg4/unix or peg4-f/unix; -1 for other services. */
static int transport_priority(const char *name)
{
    char *end;
    long priority;

    if (strncmp(name, "peg", 3) != 0 || name[3] < '0' || name[3] > '9')
        return -1;
    priority = strtol(name + 3, &end, 10);
    if (strcmp(end, "/unix") != 0 && strcmp(end, "-f/unix") != 0)
        return -1;
    return priority < INT_MAX ? (int)priority : INT_MAX;
}

/*
 * A listener is taken for ours only where the whole entry is what we would write, which no operator
 * writes by chance because of its syslog_name. One with options added stays.
 */
static bool is_old_frontend_listener(const struct plan *plan, const char *service,
                                     const char *entry)
{
    char *ours = plan_frontend_listener(plan, service);
    bool same = strcmp(ours, entry) == 0;

    free(ours);
    return same;
}

/* The same for an instance: all but the port is as in our one service. */
static bool is_old_instance_listener(const struct plan *plan, const char *entry)
{
    const char *ours = plan->services.items[0].value;
    const char *tail = strchr(ours, ' ');
    const char *entry_tail = strchr(entry, ' ');

    return strncmp(entry, "127.0.0.1:", 10) == 0 && tail != NULL && entry_tail != NULL &&
           strcmp(tail, entry_tail) == 0;
}

bool plan_is_outdated(const struct plan *plan, const char *name, const char *entry)
{
    size_t type = strcspn(name, "/");
    bool outdated = false;

    if (pairs_get(&plan->services, name) != NULL || pairs_get(&plan->absent, name) != NULL)
        return false;
    if (settings_is_frontend(plan->instance) && transport_priority(name) >= 0) {
        outdated = transport_priority(name) >= plan->kept;
    } else if (strcmp(name + type, "/inet") == 0) {
        char *service = mem_dup_len(name, type);

        outdated = settings_is_frontend(plan->instance)
                       ? is_old_frontend_listener(plan, service, entry)
                       : is_old_instance_listener(plan, entry);
        free(service);
    }
    return outdated;
}
