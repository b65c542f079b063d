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
struct table_fill;

enum {
    TABLE_WHY_SIZE = 512,
    TABLE_PRIORITY_MAX = 253 /* higher than all that are configured */
};
enum table_role {
    TABLE_WRITER,
    TABLE_READER,
    TABLE_GUEST /* a reader that makes no table and no file, whatever it finds */
};

struct table_config {
    const char *path; /* copied */
    /* Holds locks, and the boot in which a table was last made. In another folder, so that it stays
     * when somebody clears that of the table. Used during table_open(); for a guest it may be NULL.
     */
    const char *lock_path;
    size_t capacity; /* live claims that must fit */
    /*
     * Have back what was claimed before, for a table that is made anew: calls table_fill_*(). No
     * writer runs meanwhile. false, with the reason in why_r: it cannot be had, and there will be
     * no table. NULL: there is nothing to have back.
     */
    bool (*recover)(void *arg, struct table_fill *fill, char why_r[TABLE_WHY_SIZE]);
    void *arg;
};

/* A claim, priority 0 to TABLE_PRIORITY_MAX, the newer before the older: one with the same key
 * stays as it is. */
void table_fill_claim(struct table_fill *fill, const char *key, size_t key_len, int priority);

/* Some claims may be missing: see table_is_unsure(). */
void table_fill_is_unsure(struct table_fill *fill);

/*
 * Map the table in the configured file. Where there is none, or one that cannot be used (damaged,
 * of another version, from before the last boot), it is made anew with what recover() gives; a
 * damaged one is set aside. The log says so. Who makes it keeps everybody else waiting, and a
 * reader makes none while a writer runs: that makes it again itself (table_restore()). The writer
 * holds a lock, so that there is one, and takes over the claims of a table of another capacity.
 * Returns NULL with the reason in why_r.
 */
struct table *table_open(const struct table_config *config, enum table_role role, int64_t now_ms,
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
 * miss_priority where there is no claim, after noting the miss: Postfix will cache that answer, and
 * table_claim() takes care that no other priority is relied on meanwhile. So give the answer at
 * once, or not at all.
 * Threads: any number at once, in any process, beside one writer. Never blocks.
 */
int table_lookup(struct table *table, const char *key, size_t key_len, int miss_priority,
                 int64_t now_ms, int *priority_r) PEG_MUST_USE;

/*
 * Whether claims may be missing since something on disk was damaged: then a key without a claim may
 * belong to mail of any priority, and is best answered with the highest; table_claim() gives it to
 * nobody else. It ends when two looks into Postfix's queue have found no mail without a claim.
 */
bool table_is_unsure(const struct table *table) PEG_MUST_USE;

/* Like table_lookup(), but only looks: refreshes nothing, notes no miss; priority_r only with 1. */
int table_peek(const struct table *table, const char *key, size_t key_len,
               int *priority_r) PEG_MUST_USE;

/* Like table_lookup(), but answers nobody: refreshes a claim, and notes no miss. 1 or 0. */
int table_refresh(struct table *table, const char *key, size_t key_len,
                  int64_t now_ms) PEG_MUST_USE;

/*
 * A complete look into Postfix's queue, begun at began_ms, is over, and the claim of every
 * recipient in it has been refreshed, all in this same object; is_clean: all of them had one. One
 * process at a time.
 */
void table_scanned(struct table *table, int64_t began_ms, bool is_clean);

enum table_claim {
    TABLE_CLAIMED,  /* a claim (key, priority) is there now, new or refreshed */
    TABLE_CONFLICT, /* the key lives with another priority, or may be cached with another */
    TABLE_FULL,     /* no room for a new claim, or the table is gone and cannot be made again */
    TABLE_TOO_EARLY /* any key may be cached with another priority: another table has answered until
                       a moment ago; or it is not known who else needs this one
                       (table_is_unsure()), and it is claimed for TABLE_PRIORITY_MAX now */
};

/*
 * Claim a routing key for a priority, 0 to TABLE_PRIORITY_MAX. Only in the writer. Threads: any
 * number at once. lifetime_ms: a claim that nobody used for so long stays, too, until its key is
 * claimed for another priority or its room is wanted, and Postfix's queue has been looked into
 * twice since its last use (table_scanned()).
 */
enum table_claim table_claim(struct table *table, const char *key, size_t key_len, int priority,
                             int64_t lifetime_ms, int64_t now_ms) PEG_MUST_USE;

/*
 * Where somebody has removed the file, make it again from what is mapped; to be called now and
 * then, since readers wait. table_claim() does so by itself. Only in the writer, any thread. false,
 * after logging it once: it cannot be made.
 */
bool table_restore(struct table *table, int64_t now_ms);

/* What the processes ask of each other through the table; bits. In a reader; table_want() also
 * in any thread of the writer. */
enum table_want {
    TABLE_WANT_SCAN = 1,   /* a look into Postfix's queue: claims could be freed then */
    TABLE_WANT_COMPACT = 2 /* what is on disk could be made smaller */
};
void table_want(struct table *table, unsigned wants);
unsigned table_wanted(const struct table *table) PEG_MUST_USE;
void table_want_no_more(struct table *table, unsigned wants);

/*
 * What has happened since boot, in all processes. table_count() in any thread; table_counter() and
 * table_stats() not in the writer while a thread of it claims.
 */
enum table_counter {
    TABLE_COUNT_CLAIMS,        /* table_claim() that claimed */
    TABLE_COUNT_CONFLICTS,     /* ... that found a conflict */
    TABLE_COUNT_FULL,          /* ... that found no room */
    TABLE_COUNT_LOOKUPS,       /* table_lookup() */
    TABLE_COUNT_MISSES,        /* ... without a claim */
    TABLE_COUNT_RECOVERIES,    /* tables made anew from what is on disk */
    TABLE_COUNT_SCANS,         /* looks into Postfix's queue */
    TABLE_COUNT_PLAIN,         /* messages by way: these are counted by the caller */
    TABLE_COUNT_FILTER,        /* */
    TABLE_COUNT_RESPELL,       /* */
    TABLE_COUNT_UNDURABLE,     /* messages whose decision could not be written to disk */
    TABLE_COUNT_JOURNAL_SYNCS, /* fdatasync(2) of the journal */
    TABLE_COUNTERS
};
void table_count(struct table *table, enum table_counter counter, uint64_t more);
uint64_t table_counter(const struct table *table, enum table_counter counter) PEG_MUST_USE;
/* As in file formats: `claims`, `journal_syncs`. */
const char *table_counter_name(enum table_counter counter);

struct table_stats {
    size_t capacity; /* claims that fit */
    size_t claims;   /* in the table, expired ones that are not freed yet included */
};
struct table_stats table_stats(const struct table *table);

#endif
