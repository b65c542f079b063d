/* survey - what a gateway looks like at one moment: its queues, its Postfixes, its daemons */
#include "monitor/survey.h"

#include <limits.h>
#include <stdio.h>

#include "lib/clock.h"
#include "monitor/survey_states.h"

/* Returns false where is_over() ended it. */
static bool take_queues(const struct settings *settings, bool (*is_over)(void *arg), void *arg,
                        struct survey_instance *found)
{
    char name[SETTINGS_NAME_SIZE];
    char below_root[sizeof "/var/spool/" + SETTINGS_NAME_SIZE];
    char queue_dir[PATH_MAX];
    struct queue_counts counts;

    settings_instance_name(found->instance, name);
    snprintf(below_root, sizeof below_root, "/var/spool/%s", name);
    if (!settings_path(settings, below_root, queue_dir)) {
        snprintf(found->why, QUEUES_WHY_SIZE, "%s: the path is too long", name);
        return true;
    }
    if (!queues_count_until(queue_dir, is_over, arg, &counts, found->why))
        return found->why[0] != '\0';
    found->is_known = true;
    found->queues[QUEUE_INCOMING].messages = counts.incoming;
    found->queues[QUEUE_ACTIVE].messages = counts.active;
    found->queues[QUEUE_DEFERRED].messages = counts.deferred;
    found->queues[QUEUE_HOLD].messages = counts.hold;
    return true;
}

bool survey_take(const struct settings *settings, enum survey_detail detail,
                 bool (*is_over)(void *arg), void *arg, struct survey *survey_r)
{
    *survey_r = (struct survey){.taken_ms = clock_wall_ms(), .detail = detail};
    for (int n = PEG_FRONTEND; n < settings->priority_count; n++) { /* -1, 0, 1, ... */
        struct survey_instance *found = &survey_r->instances[survey_r->instance_count];

        if (n != PEG_FRONTEND && !settings_is_local(settings, n))
            continue;
        if (is_over != NULL && is_over(arg))
            return false;
        *found = (struct survey_instance){.instance = n};
        if (!take_queues(settings, is_over, arg, found))
            return false;
        survey_r->instance_count++;
    }
    survey_states_take(settings, survey_r);
    return true;
}

uint64_t survey_messages(const struct survey_instance *instance)
{
    uint64_t total = 0;

    for (int queue = 0; queue < QUEUE_COUNT; queue++)
        total += instance->queues[queue].messages;
    return total;
}

int64_t survey_age_s(const struct survey *survey, int64_t arrival_ms)
{
    return arrival_ms < survey->taken_ms ? (survey->taken_ms - arrival_ms) / 1000 : 0;
}
