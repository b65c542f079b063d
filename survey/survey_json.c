/* survey_json - a survey as JSON; survey_json_read.c has the way back */
#include "survey/survey_json.h"

#include <jansson.h>
#include <stdio.h>

#include "lib/iso_time.h"

static const char *const state_names[] = {
    [SURVEY_UNKNOWN] = "unknown", [SURVEY_DOWN] = "down", [SURVEY_UP] = "up"};

/* json_pack() and json_object_set_new() take NULL, which is what memory that ran out leaves, for an
 * error: it shows at the end. */

static json_t *number(uint64_t n)
{
    return json_integer(n > SURVEY_JSON_NUMBER_MAX ? SURVEY_JSON_NUMBER_MAX : (json_int_t)n);
}

static json_t *time_or_null(int64_t ms)
{
    char text[ISO_TIME_SIZE];

    if (ms == 0)
        return json_null();
    iso_time_print(ms, text);
    return json_string(text);
}

/* Control characters, and where it is not UTF-8 all that is not ASCII, become `?`. */
static json_t *reason(const char *why)
{
    char text[QUEUES_WHY_SIZE];
    json_t *string;

    snprintf(text, sizeof text, "%s", why[0] != '\0' ? why : "unknown");
    for (char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    if ((string = json_string(text)) != NULL)
        return string;
    for (char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at > 0x7f)
            *at = '?';
    return json_string(text);
}

static json_t *queue_object(const struct survey *survey, const struct survey_queue *queue)
{
    bool has_details = survey->detail == SURVEY_DETAILS;
    int64_t oldest_ms = has_details ? queue->oldest_ms : 0;

    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "messages", number(queue->messages), "octets",
                     has_details ? number(queue->octets) : json_null(), "recipients",
                     has_details ? number(queue->recipients) : json_null(), "oldest",
                     time_or_null(oldest_ms), "oldest_age_seconds",
                     oldest_ms == 0 ? json_null() : json_integer(survey_age_s(survey, oldest_ms)));
}

static json_t *queues_object(const struct survey *survey, const struct survey_instance *instance)
{
    json_t *object = json_object();

    for (int n = 0; n < QUEUE_COUNT; n++)
        if (json_object_set_new(object, queues_name((enum queue)n),
                                queue_object(survey, &instance->queues[n])) != 0) {
            json_decref(object);
            return NULL;
        }
    return object;
}

static json_t *passed_object(uint64_t messages, uint64_t octets, uint64_t recipients,
                             int64_t last_ms)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "messages", number(messages), "octets", number(octets),
                     "recipients", number(recipients), "last", time_or_null(last_ms));
}

static json_t *flow_object(const struct survey_flow *flow)
{
    char since[ISO_TIME_SIZE];

    if (!flow->is_known)
        return json_null();
    iso_time_print(flow->since_ms, since);
    return json_pack("{s:s, s:o, s:o}", "since", since, "received",
                     passed_object(flow->received_messages, flow->received_octets,
                                   flow->received_recipients, flow->received_last_ms),
                     "left",
                     passed_object(flow->left_messages, flow->left_octets, flow->left_recipients,
                                   flow->left_last_ms));
}

static json_t *up_since(enum survey_state state, int64_t up_since_ms)
{
    return state == SURVEY_UP ? time_or_null(up_since_ms) : json_null();
}

static json_t *instance_object(const struct survey *survey, const struct survey_instance *instance)
{
    bool is_known = instance->is_known;
    char name[SETTINGS_NAME_SIZE];

    settings_instance_name(instance->instance, name);
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "name", name, "state",
                     state_names[instance->state], "up_since",
                     up_since(instance->state, instance->up_since_ms), "error",
                     is_known ? json_null() : reason(instance->why), "messages",
                     is_known ? json_integer((json_int_t)survey_messages(instance)) : json_null(),
                     "queues", is_known ? queues_object(survey, instance) : json_null(), "flow",
                     flow_object(&instance->flow));
}

static json_t *instances_array(const struct survey *survey)
{
    json_t *array = json_array();

    for (size_t i = 0; i < survey->instance_count; i++)
        if (json_array_append_new(array, instance_object(survey, &survey->instances[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *daemon_object(const struct survey_daemon *daemon)
{
    return json_pack("{s:s, s:o}", "state", state_names[daemon->state], "up_since",
                     up_since(daemon->state, daemon->up_since_ms));
}

char *survey_json_write(const struct survey *survey)
{
    char taken[ISO_TIME_SIZE];
    char *text;
    json_t *root;

    iso_time_print(survey->taken_ms, taken);
    root = json_pack("{s:i, s:s, s:s, s:o, s:o, s:o}", "version", SURVEY_JSON_VERSION, "taken",
                     taken, "detail", survey->detail == SURVEY_DETAILS ? "details" : "counts",
                     "instances", instances_array(survey), "milter", daemon_object(&survey->milter),
                     "tcpmap", daemon_object(&survey->tcpmap));
    text = root != NULL ? json_dumps(root, 0) : NULL;
    json_decref(root);
    return text;
}
