/*
 * table - the decision table: routing key -> priority, in shared memory
 *
 * peg-milter writes claims (one process, its threads behind one lock inside); peg-tcpmap looks them
 * up and refreshes them, in another process, without a lock. A claim says that while it lives every
 * lookup of its routing key answers its priority: Postfix caches a lookup's reply for 30 s
 * (src/global/resolve_clnt.c), so an answer that changed would misroute mail.
 *
 * Routing keys are the bytes that Postfix sends in `get KEY`, %XX decoded (table/routing_key.h).
 * The table keeps only a 128-bit keyed hash of each.
 *
 * Times are milliseconds of lib/clock.h, supplied by the caller so that tests can move time.
 */
#ifndef PEG_TABLE_H
#define PEG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"

struct table;

enum table_role { TABLE_WRITER, TABLE_READER };

/*
 * Map the table in file path. Both roles make an empty one where there is none: with peg-milter
 * away mail flows at the default priority. (A reader does not while a writer runs, whose table has
 * been removed: the writer makes it again with all its claims.) The writer also replaces a table
 * that cannot be used as it is, and says so in the log: it takes over the claims of one of another
 * capacity or from before the last boot (these count as used now), and none of a damaged one or of
 * another version. It holds a lock, so that there is one writer. capacity: live claims that must
 * fit. Returns NULL with the reason in why_r.
 */
enum { TABLE_WHY_SIZE = 512 };
struct table *table_open(const char *path, enum table_role role, size_t capacity, int64_t now_ms,
                         char why_r[TABLE_WHY_SIZE]) PEG_MUST_USE;

/* Unmap and free *table and set it to NULL. The file stays. */
void table_close(struct table **table);

/*
 * Whether the path still names the file that is mapped here. A reader asks before it answers, and
 * opens the table anew where the writer has replaced it. One stat(2).
 */
bool table_is_current(const struct table *table);

/*
 * Look up the claim for a routing key and refresh it. Returns 1 with the claim's priority; 0 with
 * default_priority where there is no claim, after noting the miss: Postfix will cache that answer,
 * and table_claim() takes care that no other priority is relied on meanwhile. So give the answer at
 * once, or not at all.
 * Threads: any number at once, in any process, beside one writer. Never blocks.
 */
int table_lookup(struct table *table, const char *key, size_t key_len, int default_priority,
                 int64_t now_ms, int *priority_r) PEG_MUST_USE;

/* Like table_lookup(), but only looks: refreshes nothing, notes no miss; priority_r only with 1. */
int table_peek(const struct table *table, const char *key, size_t key_len,
               int *priority_r) PEG_MUST_USE;

enum table_claim {
    TABLE_CLAIMED,  /* a claim (key, priority) is there now, new or refreshed */
    TABLE_CONFLICT, /* the key lives with another priority, or may be cached with another */
    TABLE_FULL      /* no room for a new claim, or the table is gone and cannot be made again */
};

/*
 * Claim a routing key for a priority, 0 to 253. Only in the writer. Threads: any number at once.
 * lifetime_ms: a claim that nobody used for so long stays, too, until its key is claimed for
 * another priority or its room is wanted.
 */
enum table_claim table_claim(struct table *table, const char *key, size_t key_len, int priority,
                             int64_t lifetime_ms, int64_t now_ms) PEG_MUST_USE;

struct table_stats {
    size_t capacity; /* claims that fit */
    size_t claims;   /* in the table, expired ones that are not freed yet included */
};
struct table_stats table_stats(const struct table *table);

#endif
