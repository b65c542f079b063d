/* counts - what there is to count in a gateway: the queues of all instances, and the daemons */
#include "monitor/counts.h"

#include <limits.h>
#include <stdio.h>

#include "admin/part.h"

bool counts_of_instance(const struct settings *settings, int instance, bool (*is_over)(void *arg),
                        void *arg, struct queue_counts *queues_r, char why_r[QUEUES_WHY_SIZE])
{
    char name[SETTINGS_NAME_SIZE];
    char below_root[sizeof "/var/spool/" + SETTINGS_NAME_SIZE];
    char queue_dir[PATH_MAX];

    settings_instance_name(instance, name);
    snprintf(below_root, sizeof below_root, "/var/spool/%s", name);
    if (settings_path(settings, below_root, queue_dir))
        return queues_count_until(queue_dir, is_over, arg, queues_r, why_r);
    snprintf(why_r, QUEUES_WHY_SIZE, "%s: the path is too long", name);
    return false;
}

/* How many peg-milters run: its pid file lets no second one begin. */
static int count_milters(const struct settings *settings)
{
    char path[PATH_MAX];

    return settings_path(settings, SETTINGS_RUN_DIR "/peg-milter.pid", path)
               ? part_pid_file_held(path, NULL)
               : -1;
}

bool counts_take(const struct settings *settings, bool (*is_over)(void *arg), void *arg,
                 struct counts *counts_r)
{
    counts_r->instance_count = 0;
    for (int n = PEG_FRONTEND; n < settings->priority_count; n++) { /* -1, 0, 1, ... */
        struct counts_instance *found = &counts_r->instances[counts_r->instance_count];

        if (n != PEG_FRONTEND && !settings_is_local(settings, n))
            continue;
        if (is_over != NULL && is_over(arg))
            return false;
        *found = (struct counts_instance){.instance = n};
        found->is_known = counts_of_instance(settings, n, is_over, arg, &found->queues, found->why);
        if (!found->is_known && found->why[0] == '\0')
            return false;
        counts_r->instance_count++;
    }
    counts_r->milters = count_milters(settings);
    return true;
}
