/* alarms - what operators are told of, once when it begins and once when it is over */
#include "survey/alarms.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/log.h"

struct update {
    struct alarms *alarms;
    const struct settings *settings;
    const struct survey *survey;
    void (*tell)(void *arg, const struct alarm_event *event);
    void *arg;
};

size_t alarms_row(const struct alarm *alarm)
{
    return (size_t)(alarm->number - PEG_FIRST);
}

size_t alarms_column(const struct alarm *alarm)
{
    return alarm->kind == ALARM_DOWN ? 0 : 1 + alarm->queue * (size_t)LIMIT_COUNT + alarm->limit;
}

bool alarms_has(const struct alarms *alarms, const struct alarm *alarm)
{
    return alarms->on[alarms_row(alarm)][alarms_column(alarm)];
}

/* What is told is what changes. */
static void set(const struct update *update, const struct alarm_event *event)
{
    if (alarms_has(update->alarms, &event->alarm) == event->begins)
        return;
    update->alarms->on[alarms_row(&event->alarm)][alarms_column(&event->alarm)] = event->begins;
    update->tell(update->arg, event);
}

static void update_state(const struct update *update, int number)
{
    struct alarm_event event = {.alarm = {.kind = ALARM_DOWN, .number = number}};
    bool *is_seen = &update->alarms->is_seen[alarms_row(&event.alarm)];
    enum survey_state state = SURVEY_UNKNOWN;
    bool was_seen = *is_seen;

    event.is_gone = !monitored_state(update->survey, number, &state, NULL);
    event.begins = state == SURVEY_DOWN;
    *is_seen = !event.is_gone;
    if (event.begins && !was_seen)
        return;
    if (event.is_gone || state != SURVEY_UNKNOWN)
        set(update, &event);
}

static void update_limit(const struct update *update, const struct alarm *alarm,
                         const struct survey_instance *instance)
{
    struct alarm_event event = {.alarm = *alarm, .is_gone = true};
    int64_t limit =
        instance == NULL ? 0 : limits_get(update->settings, alarm->number, alarm->limit);

    if (limit != 0) {
        if (!instance->is_known ||
            (alarm->limit == LIMIT_AGE &&
             (update->survey->detail != SURVEY_DETAILS || instance->has_old_details)))
            return;
        event.is_gone = false;
        event.limit_value = limit;
        event.value = limits_value(update->survey, &instance->queues[alarm->queue], alarm->limit);
        event.begins = limits_is_over(event.value, limit, alarms_has(update->alarms, alarm));
    }
    set(update, &event);
}

static void update_queues(const struct update *update, int number)
{
    const struct survey_instance *instance = survey_find(update->survey, number);
    struct alarm alarm = {.kind = ALARM_OVER, .number = number};

    for (int queue = 0; queue < QUEUE_COUNT; queue++)
        for (int limit = 0; limit < LIMIT_COUNT; limit++) {
            alarm.queue = (enum queue)queue;
            alarm.limit = (enum limit)limit;
            update_limit(update, &alarm, instance);
        }
}

void alarms_update(struct alarms *alarms, const struct settings *settings,
                   const struct survey *survey,
                   void (*tell)(void *arg, const struct alarm_event *event), void *arg)
{
    const struct update update = {alarms, settings, survey, tell, arg};

    for (int number = PEG_FIRST; number < MONITORED_END; number++) {
        update_state(&update, number);
        if (number < SETTINGS_PRIORITY_MAX)
            update_queues(&update, number);
    }
}

static void over_text(const struct alarm_event *event, const char *name,
                      char text_r[ALARM_TEXT_SIZE])
{
    const char *queue = queues_name(event->alarm.queue);
    const char *limit = limits_name(event->alarm.limit);

    if (event->is_gone)
        snprintf(text_r, ALARM_TEXT_SIZE, "%s: its queue %s has no %s any more", name, queue,
                 limit);
    else if (event->alarm.limit == LIMIT_MESSAGES)
        snprintf(text_r, ALARM_TEXT_SIZE, "%s: %" PRId64 " messages in %s, %s %s %" PRId64, name,
                 event->value, queue, event->begins ? "over" : "no more over", limit,
                 event->limit_value);
    else
        snprintf(text_r, ALARM_TEXT_SIZE,
                 "%s: the oldest message in %s is %" PRId64 " s old, %s %s %" PRId64 " s", name,
                 queue, event->value, event->begins ? "over" : "no more over", limit,
                 event->limit_value);
}

void alarms_text(const struct alarm_event *event, char text_r[ALARM_TEXT_SIZE])
{
    char name[SETTINGS_NAME_SIZE];

    monitored_name(event->alarm.number, name);
    if (event->alarm.kind == ALARM_DOWN)
        snprintf(text_r, ALARM_TEXT_SIZE, "%s is %s", name,
                 event->begins    ? "down"
                 : event->is_gone ? "no part of this gateway any more"
                                  : "up again");
    else
        over_text(event, name, text_r);
}

void alarms_log(const struct alarm_event *event)
{
    char text[ALARM_TEXT_SIZE];

    alarms_text(event, text);
    if (event->begins)
        log_warn("%s", text);
    else
        log_info("%s", text);
}
