/*
 * queues - what stands in the queues of a Postfix instance, from its queue directory
 *
 * Reads directories only, never a queue file (survey/queue_file.h does). Mail moves while it is
 * counted: a message that goes from one queue to the next meanwhile may count in both, or in
 * neither.
 *
 * Threads: every call may run concurrently.
 */
#ifndef PEG_QUEUES_H
#define PEG_QUEUES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

/* In the order in which they are shown. */
enum queue { QUEUE_INCOMING, QUEUE_ACTIVE, QUEUE_DEFERRED, QUEUE_HOLD, QUEUE_COUNT };

struct queue_counts {
    uint64_t incoming;
    uint64_t active;
    uint64_t deferred;
    uint64_t hold;
};

enum { QUEUES_WHY_SIZE = 512 };

/* Its name in Postfix, "deferred". */
const char *queues_name(enum queue queue) PEG_MUST_USE;

/* Whether a file of that name in a queue is a message; others are being made, or are foreign. */
bool queues_is_id(const char *name) PEG_MUST_USE;

/*
 * Call visit for every message in one queue of queue_dir. name is its queue ID, a file in the
 * folder dir_fd (which is a subfolder where the queue is hashed: hash_queue_names); both are
 * borrowed for the call, and the file may be gone already. Where visit returns false the walk ends.
 * Memory does not grow with the queue. Returns false, with `PATH: reason, what to do` in why_r,
 * where a folder is missing or cannot be read, and with "" where visit ended the walk; visit may
 * have been called before.
 */
bool queues_walk(const char *queue_dir, enum queue queue,
                 bool (*visit)(void *arg, int dir_fd, const char *name), void *arg,
                 char why_r[QUEUES_WHY_SIZE]) PEG_MUST_USE;

/*
 * The same for all four queues, one after the other. An instance that was never started has none of
 * the folders yet, and no messages.
 */
bool queues_walk_all(const char *queue_dir,
                     bool (*visit)(void *arg, enum queue queue, int dir_fd, const char *name),
                     void *arg, char why_r[QUEUES_WHY_SIZE]) PEG_MUST_USE;

/*
 * Count the messages of an instance. Returns false with the reason in why_r, as queues_walk(), and
 * then leaves *counts_r untouched: part of a count would look like a short queue.
 */
bool queues_count(const char *queue_dir, struct queue_counts *counts_r,
                  char why_r[QUEUES_WHY_SIZE]) PEG_MUST_USE;

/* What to do about an errno of a queue's folder or file. */
const char *queues_advice(int error) PEG_MUST_USE;

/* All four together. */
uint64_t queues_total(const struct queue_counts *counts) PEG_MUST_USE;

#endif
