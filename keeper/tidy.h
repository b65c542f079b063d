/*
 * tidy - forget what Postfix's queue no longer needs
 *
 * A look into the frontends' queues refreshes the claim of every recipient in them, so that the
 * decision table may free the others where it wants room. Then, where it is worthwhile, the store
 * is written anew: with the claims that are in the table, and the records of the messages that are
 * in a queue.
 */
#ifndef PEG_TIDY_H
#define PEG_TIDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keeper/look.h"
#include "lib/attr.h"
#include "store/compact.h"

struct tidy_config {
    const char *table;  /* path of the decision table */
    const char *folder; /* of the store */
    const struct look_frontend *frontends;
    size_t frontend_count;
    int64_t wall_ms; /* now: milliseconds since 1970 (UTC) */
    bool force;      /* write the store anew even where it is hardly worthwhile */
};

struct tidy_result {
    bool has_looked; /* into the queue, with success */
    struct look_counts queue;
    bool has_compacted;
    struct compact_result store;
};

/*
 * Do all that, and say in the log what was done. One process at a time: with another one at it, and
 * where there is no table yet, nothing is done, and that is success. What the table wanted is
 * wanted no more. Returns false, after logging why, where not all could be done: nothing is
 * forgotten then that should not be, and the table wants it again.
 */
bool tidy(const struct tidy_config *config, struct tidy_result *result_r) PEG_MUST_USE;

#endif
