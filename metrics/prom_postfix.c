/* prom_postfix - the metrics of each Postfix of a gateway, and of its queues */
#include "metrics/prom_postfix.h"

#include <stdbool.h>
#include <stdio.h>

#include "survey/limits.h"

enum { LABELS_SIZE = 128 };

/* One Postfix, or one queue of it. */
struct place {
    const struct prom_view *view;
    const struct survey_instance *found;
    const struct survey_queue *queue; /* NULL in metrics of the Postfix */
};

/* The number of a metric at a place; false where it is not known. */
typedef bool number_of(const struct place *place, struct prom_number *number_r);

struct place_metric {
    struct prom_metric metric;
    number_of *number;
    const char *label; /* one more, or NULL */
};

static bool give(uint64_t whole, struct prom_number *number_r)
{
    *number_r = prom_whole(whole);
    return true;
}

/* Of a Postfix */

static bool up(const struct place *place, struct prom_number *number_r)
{
    return place->found->state != SURVEY_UNKNOWN &&
           give(place->found->state == SURVEY_UP, number_r);
}

static bool start_time(const struct place *place, struct prom_number *number_r)
{
    *number_r = prom_seconds(place->found->up_since_ms);
    return place->found->state == SURVEY_UP && place->found->up_since_ms > 0;
}

static bool readable(const struct place *place, struct prom_number *number_r)
{
    return give(place->found->is_known, number_r);
}

static bool priority(const struct place *place, struct prom_number *number_r)
{
    return !settings_is_frontend(place->found->instance) &&
           give((uint64_t)place->found->instance, number_r);
}

#define FLOW(name)                                                                     \
    static bool name(const struct place *place, struct prom_number *number_r)          \
    {                                                                                  \
        return place->found->flow.is_known && give(place->found->flow.name, number_r); \
    }

FLOW(received_messages)
FLOW(received_octets)
FLOW(received_recipients)
FLOW(left_messages)
FLOW(left_octets)
FLOW(left_recipients)
#undef FLOW

#define BOUNCES(name)                                                         \
    static bool name(const struct place *place, struct prom_number *number_r) \
    {                                                                         \
        const struct tally_bounces *tally =                                   \
            tallies_bounces(place->view->tallies, place->found->instance);    \
                                                                              \
        return tally->is_known && give(tally->counts.name, number_r);         \
    }

BOUNCES(bounces)
BOUNCES(held_back)
BOUNCES(calls)
BOUNCES(failures)
#undef BOUNCES

static const char commands_name[] = "peg_bounce_commands_total";
static const char commands_help[] =
    "Calls of BOUNCE_COMMAND that ended with status 0, or otherwise.";

static const struct place_metric postfix_metrics[] = {
    {{"peg_postfix_up", PROM_GAUGE, "Whether a Postfix of the gateway runs: 1 or 0."}, up, NULL},
    {{"peg_postfix_start_time_seconds", PROM_GAUGE, "When a Postfix that runs was started."},
     start_time,
     NULL},
    {{"peg_postfix_readable", PROM_GAUGE,
      "Whether its queues could be read: 1 or 0; with 0 there are no figures of them."},
     readable,
     NULL},
    {{"peg_postfix_priority", PROM_GAUGE, "The priority that an instance delivers, as a number."},
     priority,
     NULL},
    {{"peg_postfix_received_messages_total", PROM_COUNTER,
      "Messages that its queue manager has taken over, each once."},
     received_messages,
     NULL},
    {{"peg_postfix_received_bytes_total", PROM_COUNTER, "Size of these messages."},
     received_octets,
     NULL},
    {{"peg_postfix_received_recipients_total", PROM_COUNTER, "Recipients of these messages."},
     received_recipients,
     NULL},
    {{"peg_postfix_left_messages_total", PROM_COUNTER,
      "Messages that have left its queues: delivered, returned or dropped."},
     left_messages,
     NULL},
    {{"peg_postfix_left_bytes_total", PROM_COUNTER, "Size of these messages."}, left_octets, NULL},
    {{"peg_postfix_left_recipients_total", PROM_COUNTER, "Recipients of these messages."},
     left_recipients,
     NULL},
    {{"peg_bounces_total", PROM_COUNTER, "Messages returned to their senders as undeliverable."},
     bounces,
     NULL},
    {{"peg_bounces_held_back_total", PROM_COUNTER,
      "Bounces that were not told at once, for BOUNCE_COMMAND_LIMIT."},
     held_back,
     NULL},
    {{commands_name, PROM_COUNTER, commands_help}, calls, "result=\"done\""},
    {{commands_name, PROM_COUNTER, commands_help}, failures, "result=\"failed\""},
};

/* Of a queue */

static bool messages(const struct place *place, struct prom_number *number_r)
{
    return place->found->is_known && give(place->queue->messages, number_r);
}

static bool has_details(const struct place *place)
{
    return place->found->is_known && place->view->survey->detail == SURVEY_DETAILS;
}

static bool octets(const struct place *place, struct prom_number *number_r)
{
    return has_details(place) && give(place->queue->octets, number_r);
}

static bool recipients(const struct place *place, struct prom_number *number_r)
{
    return has_details(place) && give(place->queue->recipients, number_r);
}

/* An age, and no time, so that an empty queue is not one with mail of 1970. */
static bool oldest_age(const struct place *place, struct prom_number *number_r)
{
    int64_t oldest_ms = place->queue->oldest_ms;
    int64_t age_s = oldest_ms == 0 ? 0 : survey_age_s(place->view->survey, oldest_ms);

    return has_details(place) && give((uint64_t)age_s, number_r);
}

static bool give_limit(const struct place *place, enum limit limit, struct prom_number *number_r)
{
    return give((uint64_t)limits_get(place->view->settings, place->found->instance, limit),
                number_r);
}

static bool messages_limit(const struct place *place, struct prom_number *number_r)
{
    return give_limit(place, LIMIT_MESSAGES, number_r);
}

static bool age_limit(const struct place *place, struct prom_number *number_r)
{
    return give_limit(place, LIMIT_AGE, number_r);
}

static const struct place_metric queue_metrics[] = {
    {{"peg_queue_messages", PROM_GAUGE, "Messages in a queue."}, messages, NULL},
    {{"peg_queue_bytes", PROM_GAUGE, "Size of the messages in a queue."}, octets, NULL},
    {{"peg_queue_recipients", PROM_GAUGE,
      "Recipients of the messages in a queue, those included that have theirs already."},
     recipients,
     NULL},
    {{"peg_queue_oldest_message_age_seconds", PROM_GAUGE,
      "Time since the oldest message in a queue arrived; 0 where it is empty."},
     oldest_age,
     NULL},
    {{"peg_queue_messages_limit", PROM_GAUGE, "QUEUE_LIMIT; 0 for none."}, messages_limit, NULL},
    {{"peg_queue_age_limit_seconds", PROM_GAUGE, "QUEUE_AGE_LIMIT; 0 for none."}, age_limit, NULL},
};

/* A sample, where there is one. */
static void put(const struct place_metric *metric, const struct place *place, const char *queue,
                struct prom_out *out)
{
    int instance = place->found->instance;
    char name[SETTINGS_NAME_SIZE], number_text[16] = "", labels[LABELS_SIZE];
    struct prom_number number;
    int len;

    if (!metric->number(place, &number))
        return;
    settings_instance_name(instance, name);
    if (!settings_is_frontend(instance))
        snprintf(number_text, sizeof number_text, "%d", instance);
    len = snprintf(labels, sizeof labels, "postfix=\"%s\",priority=\"%s\"", name, number_text);
    if (queue != NULL)
        snprintf(labels + len, sizeof labels - (size_t)len, ",queue=\"%s\"", queue);
    else if (metric->label != NULL)
        snprintf(labels + len, sizeof labels - (size_t)len, ",%s", metric->label);
    prom_out_sample(out, &metric->metric, labels, number);
}

/* Both calls of a metric with two labels follow each other for each Postfix: its name is the same.
 */
static void put_postfixes(const struct prom_view *view, struct prom_out *out)
{
    for (size_t m = 0; m < sizeof postfix_metrics / sizeof *postfix_metrics; m++)
        for (size_t i = 0; i < view->survey->instance_count; i++) {
            const struct place place = {.view = view, .found = &view->survey->instances[i]};

            put(&postfix_metrics[m], &place, NULL, out);
        }
}

static void put_queues(const struct prom_view *view, struct prom_out *out)
{
    for (size_t m = 0; m < sizeof queue_metrics / sizeof *queue_metrics; m++)
        for (size_t i = 0; i < view->survey->instance_count; i++)
            for (int q = 0; q < QUEUE_COUNT; q++) {
                const struct survey_instance *found = &view->survey->instances[i];
                const struct place place = {
                    .view = view, .found = found, .queue = &found->queues[q]};

                put(&queue_metrics[m], &place, queues_name((enum queue)q), out);
            }
}

void prom_postfix(const struct prom_view *view, struct prom_out *out)
{
    put_postfixes(view, out);
    put_queues(view, out);
}
