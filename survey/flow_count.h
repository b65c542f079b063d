/*
 * flow_count - what goes through the queues of one Postfix, from the moves of its queue files
 *
 * A message is received when its file leaves `incoming`, which the queue manager has it do, or
 * cleanup where it is to be held (Postfix src/qmgr/qmgr_active.c, src/cleanup/cleanup_api.c). It
 * has left when its file is deleted in `active`: all its recipients are done with, whatever became
 * of them. What comes back to `incoming` is not received again: what stood in `active` when the
 * queue manager was restarted (qmgr_move.c), what a delivery agent still had then (qmgr_active.c),
 * and deferred mail that postqueue -i or -s moves (src/flush/flush.c). Where `postsuper -r` has a
 * message go through cleanup again, it is received again.
 *
 * Counters never fall. `postsuper -d` in `active` looks as the queue manager's own deletion and
 * counts as left; in other queues it does not count.
 *
 * Pure: events and the time come from the caller. Not for concurrent use on one object.
 */
#ifndef PEG_FLOW_COUNT_H
#define PEG_FLOW_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "survey/queues.h"
#include "survey/survey.h"

/*
 * How many messages are remembered: those in `active`, of which there are at most
 * qmgr_message_active_limit (20000), and those that are back in `incoming`; 100 bytes each. One
 * beyond that leaves without octets and recipients, or is received again.
 */
enum { FLOW_COUNT_REMEMBERED_MAX = 100000 };

/* How many moves may go on between the two events of one. */
enum { FLOW_COUNT_MOVES = 64 };

struct flow_size {
    uint64_t octets;
    uint64_t recipients;
};

enum flow_step {
    FLOW_MOVED_FROM, /* out of this queue */
    FLOW_MOVED_TO,   /* into this queue */
    FLOW_DELETED
};

struct flow_event {
    enum flow_step step;
    enum queue queue; /* incoming, active or hold */
    uint32_t cookie;  /* the same in both events of a move within these; 0: none */
    const char *name; /* of the file; what is no queue ID is a file that is being made */
};

struct flow_move {
    uint32_t cookie;
    bool is_new;   /* from a name that is no queue ID: a file that is being made */
    bool is_owed;  /* counted as received, without octets so far */
    bool has_size; /* the message was remembered */
    struct flow_size size;
};

struct flow_count {
    struct survey_flow total; /* is_known is the caller's */
    /* The size of a message in this queue; false where its file is gone. */
    bool (*read_size)(void *arg, enum queue queue, const char *name, struct flow_size *size_r);
    void *arg;
    void *messages; /* tsearch(3), by queue ID */
    void *before;   /* the same, between flow_count_look_begin() and _end() */
    size_t remembered;
    size_t open;                              /* files of messages that are being received */
    struct flow_move moves[FLOW_COUNT_MOVES]; /* the latest, in no order */
    size_t next_move;
};

/* Count one event. Events come in the order of the kernel. */
void flow_count_event(struct flow_count *count, const struct flow_event *event, int64_t now_ms);

/*
 * Read the size of a message that came to `active`, perhaps before the events that tell of that are
 * counted: then it may be gone.
 */
void flow_count_arrived(struct flow_count *count, const char *name);

/*
 * Look at all messages in `active` and `incoming` anew, at the beginning of the watch and where
 * events were lost: call begin, found for each message, and end. Where there are only new folders,
 * call found alone: what is known stays, until events tell that it has gone. Events that are on
 * their way meanwhile may come after it; what they tell is known then or is not, and is right in
 * both cases. Nothing is counted.
 */
void flow_count_look_begin(struct flow_count *count);
void flow_count_found(struct flow_count *count, enum queue queue, const char *name);
void flow_count_look_end(struct flow_count *count);

/* Forget all messages and free what they take. The counters stay. */
void flow_count_free(struct flow_count *count);

#endif
