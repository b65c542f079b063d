/*
 * claims - a decision table that is full when it is made, without the mail that would make it so
 */
#ifndef PEG_CLAIMS_H
#define PEG_CLAIMS_H

#include "table/table.h"
#include "tests/bench/bench.h"

/* recover() of struct table_config: as many claims as arg, a number, says. */
static inline bool claims_fill(void *arg, struct table_fill *table, char why_r[TABLE_WHY_SIZE])
{
    const unsigned *claims = arg;
    char key[KEY_SIZE];

    (void)why_r;
    for (unsigned n = 0; n < *claims; n++) {
        size_t len = make_key(key, n);

        table_fill_claim(table, key, len, priority_of_key(n));
    }
    return true;
}

#endif
