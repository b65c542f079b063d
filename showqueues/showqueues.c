/* showqueues - a survey as peg-showqueues prints it */
#include "showqueues/showqueues.h"

#include <inttypes.h>

/* To the letter as the system printed them that this one succeeds. */
static const char *const labels[QUEUE_COUNT] = {"incoming", "active  ", "deferred", "hold"};

/* How to print one survey. */
struct layout {
    const struct survey *survey;
    FILE *out;
    bool with_age;
};

void showqueues_age_text(int64_t age_s, char text_r[SHOWQUEUES_AGE_SIZE])
{
    int len = 0;

    if (age_s >= 86400)
        len = snprintf(text_r, SHOWQUEUES_AGE_SIZE, "%" PRId64 "d ", age_s / 86400);
    snprintf(text_r + len, SHOWQUEUES_AGE_SIZE - (size_t)len, "%02d:%02d:%02d",
             (int)(age_s / 3600 % 24), (int)(age_s / 60 % 60), (int)(age_s % 60));
}

static void end_line(const struct layout *layout, int64_t oldest_ms)
{
    char age[SHOWQUEUES_AGE_SIZE];

    if (layout->with_age && oldest_ms != 0) {
        showqueues_age_text(survey_age_s(layout->survey, oldest_ms), age);
        fprintf(layout->out, ", oldest %s", age);
    }
    fputc('\n', layout->out);
}

static void print_instance(const struct layout *layout, const struct survey_instance *instance)
{
    uint64_t total = survey_messages(instance);
    char name[SETTINGS_NAME_SIZE];

    settings_instance_name(instance->instance, name);
    fprintf(layout->out, " * %s = %" PRIu64, name, total);
    end_line(layout, survey_oldest_ms(instance));
    for (int queue = 0; total > 0 && queue < QUEUE_COUNT; queue++) {
        fprintf(layout->out, "   | %s = %" PRIu64, labels[queue], instance->queues[queue].messages);
        end_line(layout, instance->queues[queue].oldest_ms);
    }
}

bool showqueues_print_problems(const struct survey *survey, const char *program, FILE *err)
{
    bool ok = true;

    for (size_t i = 0; i < survey->instance_count; i++) {
        const struct survey_instance *instance = &survey->instances[i];

        if (!instance->is_known)
            fprintf(err, "%s: %s\n", program, instance->why);
        ok = ok && instance->is_known;
    }
    return ok;
}

static void print_instances(const struct layout *layout)
{
    for (size_t i = 0; i < layout->survey->instance_count; i++)
        if (layout->survey->instances[i].is_known)
            print_instance(layout, &layout->survey->instances[i]);
}

bool showqueues_print(const struct survey *survey, const char *program, FILE *out, FILE *err)
{
    const struct layout layout = {.survey = survey, .out = out};

    fputs("Message count in incoming, active, deferred and hold queues of all Postfix instances\n"
          "\n",
          out);
    print_instances(&layout);
    return showqueues_print_problems(survey, program, err);
}

bool showqueues_print_age(const struct survey *survey, const char *program, FILE *out, FILE *err)
{
    const struct layout layout = {.survey = survey, .out = out, .with_age = true};

    fputs("Message count and oldest message in incoming, active, deferred and hold queues of all "
          "Postfix instances\n"
          "\n",
          out);
    print_instances(&layout);
    if (survey->instance_count > 1) {
        fprintf(out, " * all = %" PRIu64, survey_messages_of_all(survey));
        end_line(&layout, survey_oldest_of_all_ms(survey));
    }
    return showqueues_print_problems(survey, program, err);
}
