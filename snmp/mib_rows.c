/* mib_rows - the values in the rows of the tables of snmp/mib.h */
#include "snmp/mib_rows.h"

#include <stdio.h>

enum { KILO_OCTET = 1024, MS_PER_CS = 10 };

/* Columns of applTable and mtaTable; each is said in the RFC under this number. */
enum {
    APPL_DIRECTORY_NAME = 3,
    APPL_VERSION = 4,
    APPL_UPTIME = 5,
    APPL_LAST_CHANGE = 7,
    APPL_LAST_INBOUND = 12,
    APPL_LAST_OUTBOUND = 13,
    APPL_DESCRIPTION = 16,
    MTA_RECEIVED_MESSAGES = 1,
    MTA_STORED_MESSAGES,
    MTA_TRANSMITTED_MESSAGES,
    MTA_RECEIVED_VOLUME,
    MTA_STORED_VOLUME,
    MTA_TRANSMITTED_VOLUME,
    MTA_RECEIVED_RECIPIENTS,
    MTA_STORED_RECIPIENTS,
    MTA_TRANSMITTED_RECIPIENTS,
    GROUP_STORED_VOLUME = 7,
    GROUP_STORED_RECIPIENTS = 10,
    GROUP_DESCRIPTION = 28,
    GROUP_HIERARCHY = 31
};

static bool set_string(struct mib_value *value_r, const char *text)
{
    value_r->type = MIB_STRING;
    snprintf(value_r->text, sizeof value_r->text, "%s", text);
    return true;
}

static bool set_number(struct mib_value *value_r, enum mib_type type, uint32_t number)
{
    value_r->type = type;
    value_r->number = number;
    return true;
}

static bool set_gauge(struct mib_value *value_r, uint64_t number)
{
    return set_number(value_r, MIB_GAUGE, number > UINT32_MAX ? UINT32_MAX : (uint32_t)number);
}

static bool set_counter(struct mib_value *value_r, uint64_t number)
{
    return set_number(value_r, MIB_COUNTER, (uint32_t)number); /* it wraps */
}

static uint64_t kilo_octets(uint64_t octets)
{
    return octets / KILO_OCTET + (octets % KILO_OCTET >= KILO_OCTET / 2);
}

/* sysUpTime at a time; 0 where that was before, as the RFC has it. Unknown: not there. */
static bool set_time_stamp(const struct mib_source *source, struct mib_value *value_r, int64_t ms)
{
    int64_t stamp_cs = ms > source->started_ms ? (ms - source->started_ms) / MS_PER_CS : 0;

    return ms != 0 && set_number(value_r, MIB_TIME_TICKS, (uint32_t)stamp_cs); /* it wraps */
}

static bool is_daemon(int number)
{
    return number == MONITORED_MILTER || number == MONITORED_TCPMAP;
}

static bool set_version(const struct mib_source *source, int number, struct mib_value *value_r)
{
    char text[sizeof value_r->text];

    if (is_daemon(number))
        return set_string(value_r, source->version);
    snprintf(text, sizeof text, "Postfix %s", source->postfix_version);
    return source->postfix_version[0] != '\0' && set_string(value_r, text);
}

static bool set_description(int number, struct mib_value *value_r)
{
    char text[sizeof value_r->text];

    if (number == MONITORED_MILTER)
        return set_string(value_r, "decides the priority of each recipient");
    if (number == MONITORED_TCPMAP)
        return set_string(value_r, "tells the frontends the instance of each recipient");
    if (number == PEG_FRONTEND)
        return set_string(value_r, "Postfix that receives");
    if (number == PEG_URGENT)
        return set_string(value_r, "Postfix that receives what must not wait");
    snprintf(text, sizeof text, "Postfix that delivers priority %d", number);
    return set_string(value_r, text);
}

/* From what passed through a Postfix. */
static bool set_flow_time(const struct mib_source *source, int number, bool inbound,
                          struct mib_value *value_r)
{
    const struct survey_instance *instance = survey_find(&source->latest->survey, number);

    if (instance == NULL || !instance->flow.is_known)
        return false;
    return set_time_stamp(source, value_r,
                          inbound ? instance->flow.received_last_ms : instance->flow.left_last_ms);
}

bool mib_rows_appl(const struct mib_source *source, uint32_t column, int number, enum queue queue,
                   struct mib_value *value_r)
{
    char name[SETTINGS_NAME_SIZE];
    enum survey_state state;
    int64_t since_ms;

    (void)queue;
    if (!monitored_state(&source->latest->survey, number, &state, &since_ms))
        return false;
    switch (column) {
    case MIB_APPL_NAME:
        monitored_name(number, name);
        return set_string(value_r, name);
    case APPL_DIRECTORY_NAME: /* "" is the RFC's own word for none */
        return set_string(value_r, "");
    case APPL_VERSION:
        return set_version(source, number, value_r);
    case APPL_UPTIME:
        return state == SURVEY_UP && set_time_stamp(source, value_r, since_ms);
    case MIB_APPL_OPER_STATUS:
        return state != SURVEY_UNKNOWN &&
               set_number(value_r, MIB_INTEGER, state == SURVEY_UP ? MIB_UP : MIB_DOWN);
    case APPL_LAST_CHANGE:
        return set_time_stamp(source, value_r, latest_changed_ms(source->latest, number));
    case APPL_LAST_INBOUND:
    case APPL_LAST_OUTBOUND:
        return set_flow_time(source, number, column == APPL_LAST_INBOUND, value_r);
    case APPL_DESCRIPTION:
        return set_description(number, value_r);
    default:
        return false;
    }
}

/* All queues of a Postfix together. */
static struct survey_queue sum_of(const struct survey_instance *instance)
{
    struct survey_queue sum = {.messages = 0};

    for (int queue = 0; queue < QUEUE_COUNT; queue++) {
        sum.messages += instance->queues[queue].messages;
        sum.octets += instance->queues[queue].octets;
        sum.recipients += instance->queues[queue].recipients;
    }
    return sum;
}

static bool get_flow(const struct survey_flow *flow, uint32_t column, struct mib_value *value_r)
{
    if (!flow->is_known)
        return false;
    switch (column) {
    case MTA_RECEIVED_MESSAGES:
        return set_counter(value_r, flow->received_messages);
    case MTA_TRANSMITTED_MESSAGES:
        return set_counter(value_r, flow->left_messages);
    case MTA_RECEIVED_VOLUME:
        return set_counter(value_r, kilo_octets(flow->received_octets));
    case MTA_TRANSMITTED_VOLUME:
        return set_counter(value_r, kilo_octets(flow->left_octets));
    case MTA_RECEIVED_RECIPIENTS:
        return set_counter(value_r, flow->received_recipients);
    case MTA_TRANSMITTED_RECIPIENTS:
        return set_counter(value_r, flow->left_recipients);
    default:
        return false;
    }
}

bool mib_rows_mta(const struct mib_source *source, uint32_t column, int number, enum queue queue,
                  struct mib_value *value_r)
{
    const struct survey *survey = &source->latest->survey;
    const struct survey_instance *instance = survey_find(survey, number);
    bool has_details = survey->detail == SURVEY_DETAILS;
    struct survey_queue sum;

    (void)queue;
    if (instance == NULL)
        return false;
    if (column != MTA_STORED_MESSAGES && column != MTA_STORED_VOLUME &&
        column != MTA_STORED_RECIPIENTS)
        return get_flow(&instance->flow, column, value_r);
    sum = sum_of(instance);
    if (!instance->is_known || (column != MTA_STORED_MESSAGES && !has_details))
        return false;
    return set_gauge(value_r, column == MTA_STORED_MESSAGES ? sum.messages
                              : column == MTA_STORED_VOLUME ? kilo_octets(sum.octets)
                                                            : sum.recipients);
}

/* Negative: together the groups are one way to divide the whole MTA up; as a number of 32 bits. */
static const int32_t hierarchy = -1;

bool mib_rows_group(const struct mib_source *source, uint32_t column, int number, enum queue queue,
                    struct mib_value *value_r)
{
    const struct survey *survey = &source->latest->survey;
    const struct survey_instance *instance = survey_find(survey, number);
    bool has_details = survey->detail == SURVEY_DETAILS;
    const struct survey_queue *found;
    char text[sizeof value_r->text];

    if (instance == NULL || !instance->is_known)
        return false;
    found = &instance->queues[queue];
    switch (column) {
    case MIB_GROUP_STORED_MESSAGES:
        return set_gauge(value_r, found->messages);
    case GROUP_STORED_VOLUME:
        return has_details && set_gauge(value_r, kilo_octets(found->octets));
    case GROUP_STORED_RECIPIENTS:
        return has_details && set_gauge(value_r, found->recipients);
    case MIB_GROUP_OLDEST_MESSAGE: /* when the survey was taken, as the rest of the row */
        return has_details &&
               set_number(value_r, MIB_INTEGER,
                          found->oldest_ms == 0
                              ? 0
                              : mib_integer((survey->taken_ms - found->oldest_ms) / MS_PER_CS));
    case MIB_GROUP_NAME:
        return set_string(value_r, queues_name(queue));
    case GROUP_DESCRIPTION:
        snprintf(text, sizeof text, "queue %s", queues_name(queue));
        return set_string(value_r, text);
    case GROUP_HIERARCHY:
        return set_number(value_r, MIB_INTEGER, (uint32_t)hierarchy);
    default:
        return false;
    }
}
