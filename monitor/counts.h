/*
 * counts - what there is to count in a gateway: the queues of all instances, and the daemons
 *
 * Only counting: where the figures go is up to who asks for them.
 */
#ifndef PEG_COUNTS_H
#define PEG_COUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/settings.h"
#include "monitor/queues.h"

enum { COUNTS_INSTANCES_MAX = SETTINGS_PRIORITY_MAX + 1 };

/* The queues of one Postfix. */
struct counts_instance {
    int instance; /* or PEG_FRONTEND */
    bool is_known;
    struct queue_counts queues; /* where it is known */
    char why[QUEUES_WHY_SIZE];  /* where not: `PATH: reason, what to do` */
};

struct counts {
    struct counts_instance instances[COUNTS_INSTANCES_MAX]; /* the frontend first */
    size_t instance_count;
    int milters; /* peg-milters that run; -1: that cannot be seen */
};

/*
 * Count the queues of one Postfix of this host, as queues_count_until(); is_over may be NULL.
 * Returns false with the reason in why_r.
 */
bool counts_of_instance(const struct settings *settings, int instance, bool (*is_over)(void *arg),
                        void *arg, struct queue_counts *queues_r,
                        char why_r[QUEUES_WHY_SIZE]) PEG_MUST_USE;

/*
 * Count everything: the frontend, and the instances that are not on other hosts. Returns false
 * where is_over() ended it; *counts_r then is of no use.
 */
bool counts_take(const struct settings *settings, bool (*is_over)(void *arg), void *arg,
                 struct counts *counts_r) PEG_MUST_USE;

#endif
