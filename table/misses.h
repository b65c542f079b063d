/*
 * misses - which lookups without a claim were answered lately, and with which priority
 *
 * Postfix may go on using an answer for 30 s (src/global/resolve_clnt.c). A claim on the same key
 * that says another priority is not to be relied on before that time is over.
 *
 * There are fewer places than keys. Keys that share a place look like one: now and then a claim is
 * not relied on that could be, never the other way round.
 *
 * Pure; any number of threads and processes at once on one object, without a lock.
 */
#ifndef PEG_MISSES_H
#define PEG_MISSES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

enum {
    MISSES_PLACES = 65536,
    MISSES_ANY_PRIORITY = 254, /* of several answers */
    MISSES_CACHED_MS = 35000   /* how long an answer counts: Postfix's 30 s, and some */
};

/* All zero: no misses. Each the time in ms, 56 bits, and the priority answered + 1, 8 bits. */
struct misses {
    _Atomic uint64_t place[MISSES_PLACES];
};

/* Note an answer. hash: any part of the key's hash. A
 * later answer that is noted already counts as long as before. */
void misses_note(struct misses *misses, uint64_t hash, int priority, int64_t now_ms);

/* Whether some cache may have another priority than this for a key. */
bool misses_contradict(const struct misses *misses, uint64_t hash, int priority,
                       int64_t now_ms) PEG_MUST_USE;

#endif
