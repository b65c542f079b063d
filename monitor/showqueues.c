/* showqueues - the counts of all instances of a gateway, as peg-showqueues prints them */
#include "monitor/showqueues.h"

#include "monitor/counts.h"
#include "monitor/queues.h"

static bool print_instance(const struct settings *settings, int instance, const char *program,
                           FILE *out, FILE *err)
{
    char name[SETTINGS_NAME_SIZE];
    char why[QUEUES_WHY_SIZE];
    struct queue_counts counts;

    if (!counts_of_instance(settings, instance, NULL, NULL, &counts, why)) {
        fprintf(err, "%s: %s\n", program, why);
        return false;
    }
    settings_instance_name(instance, name);
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
