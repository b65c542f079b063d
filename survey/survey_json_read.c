/* survey_json_read - a survey from JSON that another process wrote, checked */
#include "survey/survey_json.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/iso_time.h"

struct reading {
    struct survey *survey;
    char where[SETTINGS_NAME_SIZE]; /* the instance or daemon at hand, "" outside of them */
    char *why_r;
};

static bool wrong(const struct reading *reading, const char *fmt, ...) PEG_PRINTF(2, 3);

/* Returns false. */
static bool wrong(const struct reading *reading, const char *fmt, ...)
{
    size_t len = 0;
    va_list args;

    if (reading->where[0] != '\0')
        len = (size_t)snprintf(reading->why_r, SURVEY_JSON_WHY_SIZE, "%s: ", reading->where);
    va_start(args, fmt);
    vsnprintf(reading->why_r + len, SURVEY_JSON_WHY_SIZE - len, fmt, args);
    va_end(args);
    return false;
}

static bool read_number(const struct reading *reading, const json_t *object, const char *key,
                        uint64_t *number_r)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > SURVEY_JSON_NUMBER_MAX)
        return wrong(reading, "%s is not a whole number from 0 to 2^53", key);
    *number_r = (uint64_t)json_integer_value(value);
    return true;
}

static bool read_time(const struct reading *reading, const json_t *object, const char *key,
                      int64_t *ms_r)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_string(value) || json_string_length(value) != ISO_TIME_LEN ||
        !iso_time_parse(json_string_value(value), ms_r))
        return wrong(reading, "%s is not a time such as 2026-11-26T02:30:00.123Z", key);
    return true;
}

/* null is 0. */
static bool read_time_or_null(const struct reading *reading, const json_t *object, const char *key,
                              int64_t *ms_r)
{
    *ms_r = 0;
    return json_is_null(json_object_get(object, key)) || read_time(reading, object, key, ms_r);
}

/* That number, or null; where it is not to be there: null. */
static bool check_derived(const struct reading *reading, const json_t *object, const char *key,
                          bool is_there, int64_t number)
{
    const json_t *value = json_object_get(object, key);

    if (is_there ? json_is_integer(value) && json_integer_value(value) == number
                 : json_is_null(value))
        return true;
    return wrong(reading, "%s is not what follows from the rest", key);
}

static bool read_details(const struct reading *reading, const json_t *object,
                         struct survey_queue *queue_r)
{
    if (reading->survey->detail == SURVEY_DETAILS)
        return read_number(reading, object, "octets", &queue_r->octets) &&
               read_number(reading, object, "recipients", &queue_r->recipients) &&
               read_time_or_null(reading, object, "oldest", &queue_r->oldest_ms);
    return check_derived(reading, object, "octets", false, 0) &&
           check_derived(reading, object, "recipients", false, 0) &&
           check_derived(reading, object, "oldest", false, 0);
}

static bool read_queue(const struct reading *reading, const json_t *object,
                       struct survey_queue *queue_r)
{
    return read_number(reading, object, "messages", &queue_r->messages) &&
           read_details(reading, object, queue_r) &&
           check_derived(reading, object, "oldest_age_seconds", queue_r->oldest_ms != 0,
                         survey_age_s(reading->survey, queue_r->oldest_ms));
}

static bool read_queues(const struct reading *reading, const json_t *queues,
                        struct survey_instance *instance_r)
{
    for (int n = 0; n < QUEUE_COUNT; n++) {
        const char *name = queues_name((enum queue)n);
        const json_t *object = json_object_get(queues, name);

        if (!json_is_object(object))
            return wrong(reading, "queue %s is missing", name);
        if (!read_queue(reading, object, &instance_r->queues[n]))
            return false;
    }
    return true;
}

static bool read_reason(const struct reading *reading, const json_t *error,
                        char why_r[QUEUES_WHY_SIZE])
{
    const char *text = json_string_value(error);

    if (json_string_length(error) == 0 || json_string_length(error) >= QUEUES_WHY_SIZE)
        return wrong(reading, "error is empty or too long");
    for (const char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return wrong(reading, "error has control characters");
    memcpy(why_r, text, json_string_length(error) + 1);
    return true;
}

/* Either the queues or a reason why not. */
static bool read_content(const struct reading *reading, const json_t *object,
                         struct survey_instance *instance_r)
{
    const json_t *error = json_object_get(object, "error");
    const json_t *queues = json_object_get(object, "queues");

    instance_r->is_known = json_is_null(error);
    if (instance_r->is_known && json_is_object(queues)) {
        if (!read_queues(reading, queues, instance_r))
            return false;
    } else if (!json_is_string(error) || !json_is_null(queues)) {
        return wrong(reading, "queues and error are not one an object or a text, the other null");
    } else if (!read_reason(reading, error, instance_r->why)) {
        return false;
    }
    return check_derived(reading, object, "messages", instance_r->is_known,
                         (int64_t)survey_messages(instance_r));
}

static bool read_passed(const struct reading *reading, const json_t *flow, const char *key,
                        uint64_t *messages_r, uint64_t *octets_r, uint64_t *recipients_r,
                        int64_t *last_ms_r)
{
    const json_t *object = json_object_get(flow, key);

    if (!json_is_object(object))
        return wrong(reading, "%s is missing in flow", key);
    return read_number(reading, object, "messages", messages_r) &&
           read_number(reading, object, "octets", octets_r) &&
           read_number(reading, object, "recipients", recipients_r) &&
           read_time_or_null(reading, object, "last", last_ms_r);
}

static bool read_flow(const struct reading *reading, const json_t *object,
                      struct survey_flow *flow_r)
{
    const json_t *flow = json_object_get(object, "flow");

    if (json_is_null(flow))
        return true;
    if (!json_is_object(flow))
        return wrong(reading, "flow is neither an object nor null");
    flow_r->is_known = true;
    return read_time(reading, flow, "since", &flow_r->since_ms) &&
           read_passed(reading, flow, "received", &flow_r->received_messages,
                       &flow_r->received_octets, &flow_r->received_recipients,
                       &flow_r->received_last_ms) &&
           read_passed(reading, flow, "left", &flow_r->left_messages, &flow_r->left_octets,
                       &flow_r->left_recipients, &flow_r->left_last_ms);
}

static bool read_state(const struct reading *reading, const json_t *object,
                       enum survey_state *state_r, int64_t *up_since_ms_r)
{
    const char *state = json_string_value(json_object_get(object, "state"));

    if (state == NULL)
        return wrong(reading, "state is missing");
    if (strcmp(state, "up") == 0)
        *state_r = SURVEY_UP;
    else if (strcmp(state, "down") == 0)
        *state_r = SURVEY_DOWN;
    else if (strcmp(state, "unknown") == 0)
        *state_r = SURVEY_UNKNOWN;
    else
        return wrong(reading, "the state is none of up, down and unknown");
    if (!read_time_or_null(reading, object, "up_since", up_since_ms_r))
        return false;
    return *state_r == SURVEY_UP || *up_since_ms_r == 0 ||
           wrong(reading, "up_since of what is not up");
}

/* PEG_FIRST - 1 for a name that is none. */
static int instance_of(const char *name)
{
    char known[SETTINGS_NAME_SIZE];

    for (int n = PEG_FIRST; name != NULL && n < SETTINGS_PRIORITY_MAX; n++) {
        settings_instance_name(n, known);
        if (strcmp(name, known) == 0)
            return n;
    }
    return PEG_FIRST - 1;
}

/* Each comes after those before it, so none comes twice, and there is room for all. */
static bool read_instance(struct reading *reading, const json_t *object)
{
    struct survey *survey = reading->survey;
    struct survey_instance *found = &survey->instances[survey->instance_count];
    int instance = instance_of(json_string_value(json_object_get(object, "name")));
    char name[SETTINGS_NAME_SIZE];

    if (instance < PEG_FIRST)
        return wrong(reading, "an instance has no name that one can have");
    settings_instance_name(instance, name);
    if (survey->instance_count > 0 && found[-1].instance >= instance)
        return wrong(reading, "%s is not in its place", name);
    memcpy(reading->where, name, sizeof name);
    *found = (struct survey_instance){.instance = instance};
    if (!read_state(reading, object, &found->state, &found->up_since_ms) ||
        !read_content(reading, object, found) || !read_flow(reading, object, &found->flow))
        return false;
    reading->where[0] = '\0';
    survey->instance_count++;
    return true;
}

static bool read_daemon(struct reading *reading, const json_t *root, const char *name,
                        struct survey_daemon *daemon_r)
{
    snprintf(reading->where, sizeof reading->where, "%s", name);
    if (!read_state(reading, json_object_get(root, name), &daemon_r->state, &daemon_r->up_since_ms))
        return false;
    reading->where[0] = '\0';
    return true;
}

static bool read_detail(const struct reading *reading, const json_t *root)
{
    const char *detail = json_string_value(json_object_get(root, "detail"));

    if (detail != NULL && strcmp(detail, "details") == 0)
        reading->survey->detail = SURVEY_DETAILS;
    else if (detail != NULL && strcmp(detail, "counts") == 0)
        reading->survey->detail = SURVEY_COUNTS;
    else
        return wrong(reading, "detail is neither counts nor details");
    return true;
}

static bool read_root(struct reading *reading, const json_t *root)
{
    const json_t *version = json_object_get(root, "version");
    const json_t *instances = json_object_get(root, "instances");

    if (!json_is_integer(version) || json_integer_value(version) != SURVEY_JSON_VERSION)
        return wrong(reading, "the version is not %d", SURVEY_JSON_VERSION);
    if (!read_time(reading, root, "taken", &reading->survey->taken_ms) ||
        !read_detail(reading, root))
        return false;
    if (!json_is_array(instances))
        return wrong(reading, "instances are missing");
    for (size_t i = 0; i < json_array_size(instances); i++)
        if (!read_instance(reading, json_array_get(instances, i)))
            return false;
    return read_daemon(reading, root, "milter", &reading->survey->milter) &&
           read_daemon(reading, root, "tcpmap", &reading->survey->tcpmap);
}

bool survey_json_read(const char *text, size_t text_len, struct survey *survey_r,
                      char why_r[SURVEY_JSON_WHY_SIZE])
{
    struct survey *survey = calloc(1, sizeof *survey); /* large for the stack of a thread */
    struct reading reading = {.survey = survey, .why_r = why_r};
    json_error_t error;
    json_t *root = json_loadb(text, text_len, JSON_REJECT_DUPLICATES, &error);
    bool good = false;

    if (survey == NULL)
        wrong(&reading, "out of memory");
    else if (root == NULL)
        wrong(&reading, "line %d: %s", error.line, error.text);
    else
        good = read_root(&reading, root);
    if (good)
        *survey_r = *survey;
    json_decref(root);
    free(survey);
    return good;
}
