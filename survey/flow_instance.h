/*
 * flow_instance - the queues of one Postfix under watch, and what goes through them
 *
 * Two inotify descriptors, which all instances share. Of one the events are counted, late and many
 * at a time, since each wakeup costs more than its events. The other, of arrivals, tells only what
 * comes to `active`, at once: there a message may stay for no longer than some milliseconds, and
 * its size is in its file. Where an arrival is late or lost the size is read when the events are
 * counted, if the file is there still.
 *
 * Not for concurrent use on one inotify descriptor.
 */
#ifndef PEG_FLOW_INSTANCE_H
#define PEG_FLOW_INSTANCE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/inotify.h>

#include "lib/attr.h"
#include "survey/flow_count.h"
#include "survey/flow_folder.h"
#include "survey/queues.h"

enum { FLOW_FOLDERS = 3 }; /* incoming, active, hold */

struct flow_instance {
    char queue_dir[PATH_MAX];
    struct flow_folder folders[FLOW_FOLDERS];
    struct flow_folder arrivals; /* `active` once more, for sizes; not in use without them */
    struct flow_count count;
    bool must_look;    /* there may be messages that are not known */
    bool must_forget;  /* before that: known ones may be gone */
    const char *below; /* where the file of this event is */
    int look_fd;       /* or of this walk; -1: none */
};

/* Nothing is watched yet. The descriptors are borrowed; arrivals_fd is -1 where sizes are not
 * wanted. NULL: no memory. */
struct flow_instance *flow_instance_new(int inotify_fd, int arrivals_fd) PEG_MUST_USE;

/* End its watches, free *instance and set it to NULL, which it may be. */
void flow_instance_free(struct flow_instance **instance);

/*
 * Watch the folders in queue_dir that are not watched yet, or were replaced, and note whether
 * their messages must be looked at. Returns false where folders that are there cannot be watched,
 * with `PATH: reason, what to do` of one in why_r.
 */
bool flow_instance_watch(struct flow_instance *instance, char why_r[QUEUES_WHY_SIZE]) PEG_MUST_USE;

/* Look at all its messages, as it must, until is_over(), which may be NULL. Those in a folder that
 * cannot be read leave without octets. */
void flow_instance_look(struct flow_instance *instance, bool (*is_over)(void *arg), void *arg);

/* Whether one of its queues has subfolders. */
bool flow_instance_is_hashed(const struct flow_instance *instance) PEG_MUST_USE;

/* Events of it were lost. */
void flow_instance_lost(struct flow_instance *instance);

/* Take an event of inotify_fd, one of the two. Returns false where it is not of this instance. */
bool flow_instance_event(struct flow_instance *instance, int inotify_fd,
                         const struct inotify_event *event, int64_t now_ms) PEG_MUST_USE;

#endif
