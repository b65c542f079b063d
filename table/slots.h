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
#include "table/misses.h"
#include "table/table.h"

struct slots_hash {
    uint64_t part[2];
};

struct slot {
    _Atomic uint64_t hash[2];
    _Atomic uint64_t word; /* time of last use in ms: 40 bits, priority + 1: 8, generation: 16 */
};

/* What stands in shared memory before the slots. */
struct slots_shared {
    _Atomic uint64_t claims; /* slots in use; written by the writer */
    _Atomic uint64_t moves;  /* claims moved so far; written by the writer */
    /* When the two latest complete looks into Postfix's queue began, the later one last. Whoever
     * looks has refreshed every claim that queued mail needs. */
    _Atomic int64_t scans_ms[2];
    /* Before this time others may have answered, and nobody knows what; 0: there was no before. */
    _Atomic int64_t unknown_until_ms;
    _Atomic uint32_t unsure; /* claims may be missing: clean looks into the queue still needed */
    _Atomic uint32_t wanted; /* TABLE_WANT_* */
    _Atomic uint64_t counters[TABLE_COUNTERS];
    struct misses misses;
};

struct slots {
    struct slots_shared *shared;
    struct slot *slot;
    size_t count;    /* slots */
    size_t capacity; /* claims that may be in them */
    size_t sweep;    /* the writer's own: where it next looks for expired claims */
};

/* Slots needed for so many claims, so that clusters stay short: 24 bytes each, 39 a claim. */
size_t slots_needed(size_t capacity);

/*
 * As the functions of table.h, by hash. A claim that was not used for its lifetime is freed, or
 * taken over, only where it was not used either since the first of the two latest scans began: a
 * message that moved from queue to queue may have escaped one of them. Where that is what is
 * lacking, TABLE_WANT_SCAN is set.
 */
int slots_lookup(struct slots *slots, const struct slots_hash *hash, int miss_priority,
                 int64_t now_ms, int *priority_r) PEG_MUST_USE;
int slots_peek(const struct slots *slots, const struct slots_hash *hash,
               int *priority_r) PEG_MUST_USE;
int slots_refresh(struct slots *slots, const struct slots_hash *hash, int64_t now_ms) PEG_MUST_USE;
void slots_scanned(struct slots *slots, int64_t began_ms, bool is_clean);
enum table_claim slots_claim(struct slots *slots, const struct slots_hash *hash, int priority,
                             int64_t lifetime_ms, int64_t now_ms) PEG_MUST_USE;

/*
 * Insert a claim, used at now_ms; one with the same key stays as it is. The memory must not be
 * shared yet. false: there is no room.
 */
bool slots_set(struct slots *slots, const struct slots_hash *hash, int priority,
               int64_t now_ms) PEG_MUST_USE;

/* Claims may be missing from now on (table_is_unsure()), until scans say otherwise. */
void slots_be_unsure(struct slots *slots);

/*
 * Take over all claims, noted misses and counters of another table that has the same hash key. to
 * must not be shared yet. Returns how many claims found no room. What is noted in the other one
 * while this runs, or later, is not taken over: see unknown_until_ms.
 */
size_t slots_adopt(struct slots *to, const struct slots *from);

#endif
