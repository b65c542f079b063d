/* slots_fixture - the decision table's memory, of a test's own */
#ifndef PEG_SLOTS_FIXTURE_H
#define PEG_SLOTS_FIXTURE_H

#include <stdlib.h>

#include "table/slots.h"
#include "tests/unit/unit.h"

enum { LIFETIME_MS = 60000, DEFAULT = 2, NONE = -1, CLEAN = true, UNCLEAN = false };

static inline struct slots slots_make(size_t capacity)
{
    struct slots slots = {.capacity = capacity, .count = slots_needed(capacity)};

    slots.shared = calloc(1, sizeof *slots.shared);
    slots.slot = calloc(slots.count, sizeof *slots.slot);
    assert_non_null(slots.shared);
    assert_non_null(slots.slot);
    return slots;
}

static inline void slots_drop(struct slots *slots)
{
    free(slots->shared);
    free(slots->slot);
}

/* Keys share few homes, so that clusters are long, and wrap around the end of the table. */
static inline struct slots_hash hash_of(unsigned key)
{
    return (struct slots_hash){{(uint64_t)(key % 7) * (UINT64_MAX / 7) + UINT64_MAX / 7, key}};
}

static inline enum table_claim claim(struct slots *slots, unsigned key, int priority,
                                     int64_t now_ms)
{
    struct slots_hash hash = hash_of(key);

    return slots_claim(slots, &hash, priority, LIFETIME_MS, now_ms);
}

/* What a key's claim says, or NONE. */
static inline int peek(const struct slots *slots, unsigned key)
{
    struct slots_hash hash = hash_of(key);
    int priority = NONE;

    return slots_peek(slots, &hash, &priority) == 1 ? priority : NONE;
}

/* A lookup's answer; miss_priority must not be that of a claim. */
static inline int look_up(struct slots *slots, unsigned key, int miss_priority, int64_t now_ms)
{
    struct slots_hash hash = hash_of(key);
    int priority = NONE;
    int found = slots_lookup(slots, &hash, miss_priority, now_ms, &priority);

    assert_true(found == 1 || priority == miss_priority);
    return priority;
}

static inline int refresh(struct slots *slots, unsigned key, int64_t now_ms)
{
    struct slots_hash hash = hash_of(key);

    return slots_refresh(slots, &hash, now_ms);
}

/* Whether a scan was asked for since this was last called. */
static inline bool wants_scan(struct slots *slots)
{
    return (atomic_exchange(&slots->shared->wanted, 0) & TABLE_WANT_SCAN) != 0;
}

#endif
