/* flow_count - what goes through the queues of one Postfix, from the moves of its queue files */
#include "survey/flow_count.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

enum stage {
    FOUND,   /* in `active`; that it went there may not have been counted yet */
    RECEIVED /* in `active`, or back in `incoming` */
};

struct message {
    const char *name; /* queue ID */
    enum stage stage;
    bool has_size;
    struct flow_size size;
    char text[]; /* of the name */
};

static int compare(const void *left, const void *right)
{
    const struct message *a = left;
    const struct message *b = right;

    return strcmp(a->name, b->name);
}

static struct message *find(void *const *tree, const char *name)
{
    const struct message key = {.name = name};
    struct message **node = tfind(&key, tree, compare); /* a node begins with its item */

    return node == NULL ? NULL : *node;
}

static void forget(struct flow_count *count, struct message *message)
{
    if (message == NULL)
        return;
    tdelete(message, &count->messages, compare);
    count->remembered--;
    free(message);
}

/* Remember a message, in place of one of this name. NULL where there is no room. */
static struct message *remember(struct flow_count *count, const char *name, enum stage stage)
{
    size_t text_size = strlen(name) + 1;
    struct message *message = find(&count->messages, name);

    if (message != NULL) {
        message->stage = stage;
        message->has_size = false;
        return message;
    }
    if (count->remembered >= FLOW_COUNT_REMEMBERED_MAX)
        return NULL;
    message = calloc(1, sizeof *message + text_size);
    if (message == NULL)
        return NULL;
    message->name = memcpy(message->text, name, text_size);
    message->stage = stage;
    if (tsearch(message, &count->messages, compare) == NULL) {
        free(message);
        return NULL;
    }
    count->remembered++;
    return message;
}

static void set_size(struct message *message, bool has_size, const struct flow_size *size)
{
    if (message == NULL || !has_size)
        return;
    message->has_size = true;
    message->size = *size;
}

static void add_received(struct flow_count *count, const struct flow_move *move)
{
    if (!move->has_size)
        return;
    count->total.received_octets += move->size.octets;
    count->total.received_recipients += move->size.recipients;
}

/* A message has left `incoming`; where it goes is not known yet. */
static void leave_incoming(struct flow_count *count, struct message *known, struct flow_move *move,
                           int64_t now_ms)
{
    if (known != NULL && known->stage == RECEIVED)
        return;
    count->total.received_messages++;
    count->total.received_last_ms = now_ms;
    add_received(count, move);
    move->is_owed = !move->has_size;
}

static void moved_from(struct flow_count *count, const struct flow_event *event, int64_t now_ms)
{
    struct flow_move *move = &count->moves[count->next_move];
    struct message *known;

    count->next_move = (count->next_move + 1) % FLOW_COUNT_MOVES;
    *move = (struct flow_move){.cookie = event->cookie, .is_new = !queues_is_id(event->name)};
    if (move->is_new)
        return;
    known = find(&count->messages, event->name);
    if (known != NULL) {
        move->has_size = known->has_size;
        move->size = known->size;
    }
    if (event->queue == QUEUE_INCOMING)
        leave_incoming(count, known, move, now_ms);
    if (known != NULL && event->queue != QUEUE_ACTIVE && known->stage == FOUND)
        known->stage = RECEIVED; /* this is the move that was to be told, or the one before it */
    else
        forget(count, known);
}

/* The first half of the move with this cookie, or zeros where nobody watched it begin. */
static struct flow_move take_move(struct flow_count *count, uint32_t cookie)
{
    static const struct flow_move none;

    for (size_t i = 0; cookie != 0 && i < FLOW_COUNT_MOVES; i++) {
        struct flow_move found = count->moves[i];

        if (found.cookie == cookie) {
            count->moves[i] = none;
            return found;
        }
    }
    return none;
}

static void moved_to(struct flow_count *count, const struct flow_event *event)
{
    struct flow_move move = take_move(count, event->cookie);
    const struct message *known;

    if (!queues_is_id(event->name) || (event->queue == QUEUE_INCOMING && move.is_new))
        return;
    known = find(&count->messages, event->name);
    if (!move.has_size && known != NULL && known->has_size) {
        move.has_size = true;
        move.size = known->size;
    }
    if (!move.has_size && (move.is_owed || event->queue == QUEUE_ACTIVE))
        move.has_size = count->read_size(count->arg, event->queue, event->name, &move.size);
    if (move.is_owed)
        add_received(count, &move);
    if (event->queue != QUEUE_HOLD)
        set_size(remember(count, event->name, RECEIVED), move.has_size, &move.size);
}

static void deleted(struct flow_count *count, const struct flow_event *event, int64_t now_ms)
{
    struct message *known = find(&count->messages, event->name);

    if (!queues_is_id(event->name) || event->queue == QUEUE_HOLD)
        return;
    if (event->queue == QUEUE_ACTIVE) {
        count->total.left_messages++;
        count->total.left_last_ms = now_ms;
        if (known != NULL && known->has_size) {
            count->total.left_octets += known->size.octets;
            count->total.left_recipients += known->size.recipients;
        }
    }
    forget(count, known);
}

void flow_count_event(struct flow_count *count, const struct flow_event *event, int64_t now_ms)
{
    switch (event->step) {
    case FLOW_MOVED_FROM:
        moved_from(count, event, now_ms);
        break;
    case FLOW_MOVED_TO:
        moved_to(count, event);
        break;
    case FLOW_DELETED:
        deleted(count, event, now_ms);
        break;
    }
}

void flow_count_arrived(struct flow_count *count, const char *name)
{
    struct message *known = find(&count->messages, name);
    struct flow_size size;

    if (!queues_is_id(name) || (known != NULL && known->has_size) ||
        !count->read_size(count->arg, QUEUE_ACTIVE, name, &size))
        return;
    set_size(known != NULL ? known : remember(count, name, FOUND), true, &size);
}

void flow_count_look_begin(struct flow_count *count)
{
    count->before = count->messages;
    count->messages = NULL;
    count->remembered = 0;
}

/* It is in `incoming`: a new message, unless it has been in `active`. */
static void found_incoming(struct flow_count *count, const struct message *before, const char *name)
{
    if (before != NULL)
        set_size(remember(count, name, RECEIVED), before->has_size, &before->size);
}

static void found_active(struct flow_count *count, const struct message *before, const char *name)
{
    bool is_received = before != NULL && before->stage == RECEIVED;
    bool has_size = before != NULL && before->has_size;
    struct flow_size size = {0};

    if (has_size)
        size = before->size;
    else
        has_size = count->read_size(count->arg, QUEUE_ACTIVE, name, &size);
    set_size(remember(count, name, is_received ? RECEIVED : FOUND), has_size, &size);
}

void flow_count_found(struct flow_count *count, enum queue queue, const char *name)
{
    const struct message *before = find(&count->before, name);

    if (find(&count->messages, name) != NULL)
        return; /* it moved on while folders were read */
    if (queue == QUEUE_INCOMING)
        found_incoming(count, before, name);
    else if (queue == QUEUE_ACTIVE)
        found_active(count, before, name);
}

void flow_count_look_end(struct flow_count *count)
{
    tdestroy(count->before, free);
    count->before = NULL;
}

void flow_count_free(struct flow_count *count)
{
    flow_count_look_begin(count);
    flow_count_look_end(count);
}
