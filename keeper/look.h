/*
 * look - a look into the frontends' queues: the claim of every recipient in them is refreshed
 *
 * Not for concurrent use on one object.
 */
#ifndef PEG_LOOK_H
#define PEG_LOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "keeper/id_set.h"
#include "lib/attr.h"
#include "table/table.h"

struct look_frontend {
    int instance;       /* PEG_FRONTEND or PEG_URGENT */
    const char *folder; /* of its configuration */
};

struct look_config {
    struct table *table;
    const char *folder; /* of the store */
    const struct look_frontend *frontends;
    size_t frontend_count;
};

struct look_counts {
    size_t messages;
    size_t recipients;
    size_t unknown; /* recipients that have no claim */
};

/* All zero before the first look; look_free() ends it. */
struct look {
    struct look_counts counts; /* of the latest look */
    struct id_set seen;        /* the names (lib/message_name.h) of all looks */
    /* Its own, of the latest look: */
    const struct look_config *config;
    int frontend;            /* whose queue is looked into now */
    struct id_set illegible; /* messages with an address of which not all may be shown */
    struct id_set doubtful;  /* ... and which is not claimed as it is shown */
    struct id_set recorded;  /* illegible ones whose record says what was claimed */
    bool failed;             /* memory ran out */
};

enum look_result {
    LOOK_FAILED,   /* a queue could not be seen, or not all of it; the log says why */
    LOOK_NOT_SURE, /* as below, but a claim may be in use that was not refreshed; the log says why
                    */
    LOOK_DONE      /* all messages were seen, their claims refreshed, and the table told */
};

/*
 * Look into each of the queues once. What is still in maildrop is left out: nothing is decided on
 * it yet. A message that moves from queue to queue meanwhile may escape.
 */
enum look_result look(struct look *look, const struct look_config *config) PEG_MUST_USE;

/* Free what is in it. */
void look_free(struct look *look);

#endif
