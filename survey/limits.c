/* limits - what a queue of a survey may hold: QUEUE_LIMIT and QUEUE_AGE_LIMIT */
#include "survey/limits.h"

const char *limits_name(enum limit limit)
{
    return limit == LIMIT_MESSAGES ? "QUEUE_LIMIT" : "QUEUE_AGE_LIMIT";
}

int64_t limits_get(const struct settings *settings, int instance, enum limit limit)
{
    const struct settings_instance *own = settings_own(settings, instance);

    return limit == LIMIT_MESSAGES ? own->queue_limit : own->queue_age_limit_s;
}

int64_t limits_value(const struct survey *survey, const struct survey_queue *queue,
                     enum limit limit)
{
    if (limit == LIMIT_MESSAGES)
        return queue->messages < INT64_MAX ? (int64_t)queue->messages : INT64_MAX;
    return queue->oldest_ms == 0 ? 0 : survey_age_s(survey, queue->oldest_ms);
}

bool limits_is_over(int64_t value, int64_t limit, bool was_over)
{
    if (limit == 0)
        return false;
    return value > (was_over ? limit * 9 / 10 : limit);
}
