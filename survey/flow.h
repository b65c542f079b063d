/*
 * flow - what goes through the queues of all Postfixes of this host, by inotify(7)
 *
 * survey/flow_count.h says what counts, of the messages that move while this watches. Events wait
 * in the kernel for flow_drain(), and cost the less the more of them it takes at a time. Where the
 * kernel has to drop some, since nobody took them (it keeps 16384 of them, or what
 * /proc/sys/fs/inotify/max_queued_events says), what happened meanwhile is not counted. Each
 * Postfix makes six of a message: through a frontend and an instance some 1300 can pass meanwhile.
 *
 * Sizes cannot wait: a message that is gone before flow_take_sizes() counts without octets and
 * recipients.
 *
 * Threads: every call but open and close may run concurrently; flow_watch() in one at a time, and
 * flow_take_sizes() and flow_drain() as well. None waits for another one that reads folders of
 * queues.
 */
#ifndef PEG_FLOW_H
#define PEG_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/settings.h"
#include "survey/survey.h"

struct flow;

enum flow_detail {
    FLOW_MESSAGES, /* octets and recipients stay 0 */
    FLOW_SIZES
};

/* How long events may gather. At 2000 messages a second the kernel keeps those of six times that.
 */
enum { FLOW_WAIT_MS = 100 };

/* Nothing is watched yet. NULL with errno. */
struct flow *flow_open(enum flow_detail detail) PEG_MUST_USE;

/* Free *flow and set it to NULL, which it may be. */
void flow_close(struct flow **flow);

/* Readable when there is something for flow_drain(). */
int flow_descriptor(const struct flow *flow) PEG_MUST_USE;

/* Readable when there is something for flow_take_sizes(); -1: never. */
int flow_arrivals_descriptor(const struct flow *flow) PEG_MUST_USE;

/*
 * Watch the Postfixes of these settings, which are borrowed for the call: those that are new begin
 * with counters of 0, those that are gone are forgotten, and folders that were replaced are watched
 * again. What stands in those that are new is looked at by the next flow_drain(). To be called once
 * a minute or so; it costs little where nothing has changed. While flow_drain() looks at folders
 * all stays as it is. Returns false where folders that are there cannot be watched, with `PATH:
 * reason, what to do` of one in why_r; the flow of that Postfix is unknown then.
 */
bool flow_watch(struct flow *flow, const struct settings *settings,
                char why_r[QUEUES_WHY_SIZE]) PEG_MUST_USE;

/* Read the sizes of messages that have become active since the last call. flow_drain() does it too,
 * when it may be late. */
void flow_take_sizes(struct flow *flow);

/* Count what has happened since the last call. is_over() may be NULL, and ends it in the midst,
 * even in long queues; what was not looked at by then leaves without octets. */
void flow_drain(struct flow *flow, bool (*is_over)(void *arg), void *arg);

/* How long events shall gather before flow_drain(): FLOW_WAIT_MS, or not at all where queues are
 * hashed, since a new subfolder is not watched before that. */
int flow_wait_ms(struct flow *flow) PEG_MUST_USE;

/* Put what is known into a survey of the same settings. */
void flow_fill(struct flow *flow, struct survey *survey);

/* How many times events were dropped. */
uint64_t flow_overflows(struct flow *flow) PEG_MUST_USE;

#endif
