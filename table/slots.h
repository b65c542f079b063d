/*
 * slots - the decision table's memory: fixed-size slots, open addressing, one writer, many readers
 *
 * Works on memory that the caller maps or allocates, zero bytes being an empty table; no file, no
 * clock, no lock. A slot holds a claim: the 128-bit hash of its routing key, and one 64-bit word
 * with priority and time of last use, which readers and the writer change by compare-and-swap. So a
 * refresh and a replacement cannot both succeed, and no reader is answered by a claim that is being
 * replaced.
 *
 * Probing is linear. Removal shifts later claims of the cluster back, so there are no tombstones;
 * a reader that missed while a claim was moved looks again.
 *
 * Threads: slots_lookup() and slots_peek() any number at once, in any process that maps the memory;
 * slots_claim() one at a time over all processes.
 */
#ifndef PEG_SLOTS_H
#define PEG_SLOTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "table/table.h"

struct slots_hash {
    uint64_t part[2];
};

struct slot {
    _Atomic uint64_t hash[2];
    _Atomic uint64_t word; /* time of last use in ms: 40 bits, priority + 1: 8, generation: 16 */
};

enum { SLOTS_MISSES = 65536 };

/* What stands in shared memory before the slots. */
struct slots_shared {
    _Atomic uint64_t claims; /* slots in use; written by the writer */
    _Atomic uint64_t moves;  /* claims moved so far; written by the writer */
    /* The last lookup without a claim, by hash: time in s: 24 bits, priority answered + 1: 8. Two
     * keys that share a place look like one: a claim too few is relied on then, never one too many.
     */
    _Atomic uint32_t misses[SLOTS_MISSES];
};

struct slots {
    struct slots_shared *shared;
    struct slot *slot;
    size_t count;    /* slots */
    size_t capacity; /* claims that may be in them */
    size_t sweep;    /* the writer's own: where it next looks for expired claims */
};

/* Slots needed for so many claims, so that clusters stay short: 24 bytes each, 40 a claim. */
size_t slots_needed(size_t capacity);

/* As table_lookup(), table_peek() and table_claim(), by hash. */
int slots_lookup(struct slots *slots, const struct slots_hash *hash, int default_priority,
                 int64_t now_ms, int *priority_r) PEG_MUST_USE;
int slots_peek(const struct slots *slots, const struct slots_hash *hash,
               int *priority_r) PEG_MUST_USE;
enum table_claim slots_claim(struct slots *slots, const struct slots_hash *hash, int priority,
                             int64_t lifetime_ms, int64_t now_ms) PEG_MUST_USE;

/*
 * Take over all claims of another table that has the same hash key. used_now: they count as used at
 * now_ms, since their own times come from another boot. to must not be shared yet. Returns how many
 * found no room.
 */
size_t slots_adopt(struct slots *to, const struct slots *from, bool used_now, int64_t now_ms);

#endif
