/* showqueues - a survey as peg-showqueues prints it */
#include "monitor/showqueues.h"

#include <inttypes.h>

/* To the letter as the system printed them that this one succeeds. */
static const char *const labels[QUEUE_COUNT] = {"incoming", "active  ", "deferred", "hold"};

static void print_instance(const struct survey_instance *instance, FILE *out)
{
    uint64_t total = survey_messages(instance);
    char name[SETTINGS_NAME_SIZE];

    settings_instance_name(instance->instance, name);
    fprintf(out, " * %s = %" PRIu64 "\n", name, total);
    for (int queue = 0; total > 0 && queue < QUEUE_COUNT; queue++)
        fprintf(out, "   | %s = %" PRIu64 "\n", labels[queue], instance->queues[queue].messages);
}

bool showqueues_print(const struct survey *survey, const char *program, FILE *out, FILE *err)
{
    bool ok = true;

    fputs("Message count in incoming, active, deferred and hold queues of all Postfix instances\n"
          "\n",
          out);
    for (size_t i = 0; i < survey->instance_count; i++) {
        const struct survey_instance *instance = &survey->instances[i];

        if (instance->is_known)
            print_instance(instance, out);
        else
            fprintf(err, "%s: %s\n", program, instance->why);
        ok = ok && instance->is_known;
    }
    return ok;
}
