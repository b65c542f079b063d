/* showqueues - the counts of all instances of a gateway, as peg-showqueues prints them */
#include "monitor/showqueues.h"

#include <limits.h>

#include "monitor/queues.h"

static bool print_instance(const struct settings *settings, int instance, const char *program,
                           FILE *out, FILE *err)
{
    char name[SETTINGS_NAME_SIZE];
    char below_root[sizeof "/var/spool/" + SETTINGS_NAME_SIZE];
    char queue_dir[PATH_MAX];
    char why[QUEUES_WHY_SIZE] = "the path is too long";
    struct queue_counts counts;

    settings_instance_name(instance, name);
    snprintf(below_root, sizeof below_root, "/var/spool/%s", name);
    if (!settings_path(settings, below_root, queue_dir) || !queues_count(queue_dir, &counts, why)) {
        fprintf(err, "%s: %s\n", program, why);
        return false;
    }
    queues_print(out, name, &counts);
    return true;
}

bool showqueues_print(const struct settings *settings, const char *program, FILE *out, FILE *err)
{
    bool ok;

    fputs("Message count in incoming, active, deferred and hold queues of all Postfix instances\n"
          "\n",
          out);
    ok = print_instance(settings, PEG_FRONTEND, program, out, err);
    for (int i = 0; i < settings->priority_count; i++)
        if (settings_is_local(settings, i))
            ok = print_instance(settings, i, program, out, err) && ok;
    return ok;
}
