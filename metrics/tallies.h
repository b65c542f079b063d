/*
 * tallies - what the daemons of a gateway have counted: decisions, lookups, the journal, bounces
 *
 * Only looks, and waits for nobody: a daemon that is away leaves its counts behind.
 */
#ifndef PEG_TALLIES_H
#define PEG_TALLIES_H

#include <stdbool.h>
#include <stdint.h>

#include "bounce/counts.h"
#include "lib/settings.h"
#include "store/measure.h"
#include "table/table.h"

struct tally_bounces {
    bool is_known; /* also where there was no bounce yet */
    struct counts counts;
};

struct tallies {
    bool has_table;
    struct table_stats table;
    bool is_unsure; /* table_is_unsure() */
    uint64_t counters[TABLE_COUNTERS];
    bool has_store;
    struct store_size store;
    struct tally_bounces bounces[SETTINGS_POSTFIX_MAX]; /* for tallies_bounces() */
};

/*
 * Take them all. The table is opened for this and closed again, so that one which was replaced, or
 * comes back, is found. What cannot be read is left out (has_*, is_known).
 */
void tallies_take(const struct settings *settings, struct tallies *tallies_r);

/* The bounces of a Postfix, PEG_FIRST and up. */
const struct tally_bounces *tallies_bounces(const struct tallies *tallies, int instance);

#endif
