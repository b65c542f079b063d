/* table - the decision table: its file, its hash, its one writer */
#include "table/table.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "table/slots.h"
#include "table/table_file.h"

struct table {
    struct table_map map;
    pthread_mutex_t claiming; /* of the threads of the writer, for all of this */
    struct table_config config;
    char *path;
    int lock_fd;         /* of the lock file; holds the writer's lock in the writer */
    bool cannot_restore; /* said once */
};

/* Relaxed: figures and hints, by which nothing else is ordered. */
static void count(struct table *table, enum table_counter counter)
{
    atomic_fetch_add_explicit(&table->map.slots.shared->counters[counter], 1, memory_order_relaxed);
}

/* Have a table mapped that can be used; make it where there is none. The maker's lock is held. */
static bool map_or_make(struct table *table, int64_t now_ms, char why_r[TABLE_WHY_SIZE])
{
    struct table_contents contents = {.config = &table->config, .now_ms = now_ms};

    contents.found = table_file_map(table->path, &table->map, why_r);
    if (contents.found == TABLE_FOUND)
        return true;
    if (contents.found == TABLE_UNREADABLE)
        return false;
    if (contents.found != TABLE_ABSENT)
        log_warn("decision table is made anew: %s", why_r);
    contents.is_first = table_file_is_first(table->lock_fd) &&
                        (contents.found == TABLE_ABSENT || contents.found == TABLE_OTHER_BOOT);
    if (!table_file_make(table->path, table->config.capacity, &contents, why_r) ||
        table_file_map(table->path, &table->map, why_r) != TABLE_FOUND)
        return false;
    count(table, TABLE_COUNT_RECOVERIES);
    return true;
}

/* The claims of the mapped table go to a new file that takes its place. */
static bool replace(struct table *table, size_t capacity, int64_t now_ms,
                    char why_r[TABLE_WHY_SIZE])
{
    const struct table_contents contents = {.old = &table->map, .now_ms = now_ms};
    struct table_map fresh;

    if (!table_file_make(table->path, capacity, &contents, why_r) ||
        table_file_map(table->path, &fresh, why_r) != TABLE_FOUND)
        return false;
    table_file_unmap(&table->map);
    table->map = fresh;
    return true;
}

static bool lock_writer(const struct table *table, char why_r[TABLE_WHY_SIZE])
{
    if (table_file_lock(table->lock_fd, TABLE_LOCK_WRITER, false))
        return true;
    if (errno == EAGAIN || errno == EACCES)
        snprintf(why_r, TABLE_WHY_SIZE, "%s: another process is writing to this table",
                 table->path);
    else
        snprintf(why_r, TABLE_WHY_SIZE, "lock %s: %m", table->path);
    return false;
}

static bool lock_maker(const struct table *table, char why_r[TABLE_WHY_SIZE])
{
    bool locked = table_file_lock(table->lock_fd, TABLE_LOCK_MAKER, true);

    if (!locked)
        snprintf(why_r, TABLE_WHY_SIZE, "lock %s: %m", table->path);
    return locked;
}

static bool open_writer(struct table *table, int64_t now_ms, char why_r[TABLE_WHY_SIZE])
{
    int64_t began_ms = clock_boot_ms();
    bool done;

    if (!lock_writer(table, why_r) || !lock_maker(table, why_r))
        return false;
    now_ms += clock_boot_ms() - began_ms; /* who made a table meanwhile took its time */
    done = map_or_make(table, now_ms, why_r) &&
           (table->map.slots.capacity == table->config.capacity ||
            replace(table, table->config.capacity, now_ms, why_r));
    table_file_unlock(table->lock_fd, TABLE_LOCK_MAKER);
    return done;
}

static bool open_reader(struct table *table, int64_t now_ms, char why_r[TABLE_WHY_SIZE])
{
    enum table_found found = table_file_map(table->path, &table->map, why_r);
    bool done;

    if (found == TABLE_FOUND)
        return true;
    if (found == TABLE_UNREADABLE)
        return false;
    if (table_file_is_locked(table->lock_fd, TABLE_LOCK_WRITER) ||
        !table_file_lock(table->lock_fd, TABLE_LOCK_MAKER, false)) {
        snprintf(why_r, TABLE_WHY_SIZE, "%s: there is none; peg-milter is making it", table->path);
        return false;
    }
    /* A writer that comes from now on waits. */
    done = !table_file_is_locked(table->lock_fd, TABLE_LOCK_WRITER) &&
           map_or_make(table, now_ms, why_r);
    table_file_unlock(table->lock_fd, TABLE_LOCK_MAKER);
    return done;
}

static bool open_guest(struct table *table, char why_r[TABLE_WHY_SIZE])
{
    return table_file_map(table->path, &table->map, why_r) == TABLE_FOUND;
}

static bool open_as(struct table *table, enum table_role role, int64_t now_ms,
                    char why_r[TABLE_WHY_SIZE])
{
    if (role == TABLE_GUEST)
        return open_guest(table, why_r);
    table->lock_fd = table_file_open_lock(table->config.lock_path, why_r);
    if (table->lock_fd < 0)
        return false;
    return role == TABLE_WRITER ? open_writer(table, now_ms, why_r)
                                : open_reader(table, now_ms, why_r);
}

struct table *table_open(const struct table_config *config, enum table_role role, int64_t now_ms,
                         char why_r[TABLE_WHY_SIZE])
{
    struct table *table = calloc(1, sizeof *table);
    bool opened;

    snprintf(why_r, TABLE_WHY_SIZE, "out of memory");
    if (table == NULL)
        return NULL;
    pthread_mutex_init(&table->claiming, NULL);
    table->config = *config;
    table->lock_fd = -1;
    opened = sodium_init() >= 0 && (table->path = strdup(config->path)) != NULL &&
             open_as(table, role, now_ms, why_r);
    if (!opened)
        table_close(&table);
    return table;
}

void table_close(struct table **table_ptr)
{
    struct table *table = *table_ptr;

    *table_ptr = NULL;
    if (table == NULL)
        return;
    table_file_unmap(&table->map);
    if (table->lock_fd >= 0)
        close(table->lock_fd);
    pthread_mutex_destroy(&table->claiming);
    free(table->path);
    free(table);
}

bool table_is_current(const struct table *table)
{
    return table_file_is_mapped(table->path, &table->map);
}

int table_lookup(struct table *table, const char *key, size_t key_len, int miss_priority,
                 int64_t now_ms, int *priority_r)
{
    struct slots_hash hash = table_file_hash(&table->map, key, key_len);
    int found = slots_lookup(&table->map.slots, &hash, miss_priority, now_ms, priority_r);

    count(table, TABLE_COUNT_LOOKUPS);
    if (found == 0)
        count(table, TABLE_COUNT_MISSES);
    return found;
}

bool table_is_unsure(const struct table *table)
{
    return atomic_load_explicit(&table->map.slots.shared->unsure, memory_order_relaxed) > 0;
}

int table_peek(const struct table *table, const char *key, size_t key_len, int *priority_r)
{
    struct slots_hash hash = table_file_hash(&table->map, key, key_len);

    return slots_peek(&table->map.slots, &hash, priority_r);
}

int table_refresh(struct table *table, const char *key, size_t key_len, int64_t now_ms)
{
    struct slots_hash hash = table_file_hash(&table->map, key, key_len);

    return slots_refresh(&table->map.slots, &hash, now_ms);
}

void table_scanned(struct table *table, int64_t began_ms, bool is_clean)
{
    slots_scanned(&table->map.slots, began_ms, is_clean);
    count(table, TABLE_COUNT_SCANS);
}

/* Readers wait for the file that somebody has removed, and what is mapped here is still right. */
static bool restore(struct table *table, int64_t now_ms)
{
    char why[TABLE_WHY_SIZE];
    bool done = false;

    if (lock_maker(table, why)) {
        done = replace(table, table->map.slots.capacity, now_ms, why);
        table_file_unlock(table->lock_fd, TABLE_LOCK_MAKER);
    }
    if (done)
        log_warn("%s was removed, and is made again", table->path);
    else if (!table->cannot_restore)
        log_error("%s was removed, and cannot be made again: %s", table->path, why);
    table->cannot_restore = !done;
    return done;
}

bool table_restore(struct table *table, int64_t now_ms)
{
    bool is_there;

    pthread_mutex_lock(&table->claiming);
    is_there = table_is_current(table) || restore(table, now_ms);
    pthread_mutex_unlock(&table->claiming);
    return is_there;
}

enum table_claim table_claim(struct table *table, const char *key, size_t key_len, int priority,
                             int64_t lifetime_ms, int64_t now_ms)
{
    static const enum table_counter counters[] = {[TABLE_CLAIMED] = TABLE_COUNT_CLAIMS,
                                                  [TABLE_CONFLICT] = TABLE_COUNT_CONFLICTS,
                                                  [TABLE_FULL] = TABLE_COUNT_FULL,
                                                  [TABLE_TOO_EARLY] = TABLE_COUNT_CONFLICTS};
    enum table_claim result = TABLE_FULL;

    pthread_mutex_lock(&table->claiming);
    if (table_is_current(table) || restore(table, now_ms)) {
        struct slots_hash hash = table_file_hash(&table->map, key, key_len);

        result = slots_claim(&table->map.slots, &hash, priority, lifetime_ms, now_ms);
    }
    count(table, counters[result]);
    pthread_mutex_unlock(&table->claiming);
    return result;
}

/* With the lock: a thread that claims may just be giving the table another place in memory. */
void table_want(struct table *table, unsigned wants)
{
    pthread_mutex_lock(&table->claiming);
    atomic_fetch_or_explicit(&table->map.slots.shared->wanted, wants, memory_order_relaxed);
    pthread_mutex_unlock(&table->claiming);
}

unsigned table_wanted(const struct table *table)
{
    return atomic_load_explicit(&table->map.slots.shared->wanted, memory_order_relaxed);
}

void table_want_no_more(struct table *table, unsigned wants)
{
    atomic_fetch_and_explicit(&table->map.slots.shared->wanted, ~wants, memory_order_relaxed);
}

void table_count(struct table *table, enum table_counter counter, uint64_t more)
{
    pthread_mutex_lock(&table->claiming);
    atomic_fetch_add_explicit(&table->map.slots.shared->counters[counter], more,
                              memory_order_relaxed);
    pthread_mutex_unlock(&table->claiming);
}

uint64_t table_counter(const struct table *table, enum table_counter counter)
{
    return atomic_load_explicit(&table->map.slots.shared->counters[counter], memory_order_relaxed);
}

const char *table_counter_name(enum table_counter counter)
{
    static const char *const names[TABLE_COUNTERS] = {
        [TABLE_COUNT_CLAIMS] = "claims",       [TABLE_COUNT_CONFLICTS] = "conflicts",
        [TABLE_COUNT_FULL] = "full",           [TABLE_COUNT_LOOKUPS] = "lookups",
        [TABLE_COUNT_MISSES] = "misses",       [TABLE_COUNT_RECOVERIES] = "recoveries",
        [TABLE_COUNT_SCANS] = "scans",         [TABLE_COUNT_PLAIN] = "plain",
        [TABLE_COUNT_FILTER] = "filter",       [TABLE_COUNT_RESPELL] = "respell",
        [TABLE_COUNT_UNDURABLE] = "undurable", [TABLE_COUNT_JOURNAL_SYNCS] = "journal_syncs",
    };

    return names[counter];
}

struct table_stats table_stats(const struct table *table)
{
    const struct slots *slots = &table->map.slots;

    return (struct table_stats){
        .capacity = slots->capacity,
        .claims = (size_t)atomic_load_explicit(&slots->shared->claims, memory_order_relaxed)};
}
