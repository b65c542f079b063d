/* table - the decision table: its file, its hash, its one writer */
#include "table/table.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "table/slots.h"
#include "table/table_file.h"

struct table {
    struct table_map map;
    pthread_mutex_t claiming; /* of the threads of the writer, for all of this */
    char *path;
    int lock_fd;         /* the writer's; -1 in a reader */
    bool cannot_restore; /* said once */
};

/* The writer's part of opening: a table that cannot be used as it is gets replaced. */
static bool renew(struct table *table, size_t capacity, int64_t now_ms, char why_r[TABLE_WHY_SIZE])
{
    struct table_map old = table->map;
    bool made;

    if (old.start != NULL && old.slots.capacity == capacity && table_file_is_of_this_boot(&old))
        return true;
    made = table_file_make(table->path, capacity, old.start != NULL ? &old : NULL, true, now_ms,
                           why_r);
    table_file_unmap(&table->map);
    return made && table_file_map(table->path, &table->map, why_r) == 1;
}

static bool open_writer(struct table *table, size_t capacity, int64_t now_ms,
                        char why_r[TABLE_WHY_SIZE])
{
    table->lock_fd = table_file_lock(table->path, why_r);
    if (table->lock_fd < 0)
        return false;
    if (table_file_map(table->path, &table->map, why_r) < 0)
        log_warn("decision table is made anew, earlier decisions are lost: %s", why_r);
    return renew(table, capacity, now_ms, why_r);
}

static bool open_reader(struct table *table, size_t capacity, int64_t now_ms,
                        char why_r[TABLE_WHY_SIZE])
{
    int mapped = table_file_map(table->path, &table->map, why_r);

    if (mapped != 0)
        return mapped == 1;
    if (table_file_is_locked(table->path)) {
        snprintf(why_r, TABLE_WHY_SIZE,
                 "%s: it is gone; peg-milter makes it again when it next "
                 "decides",
                 table->path);
        return false;
    }
    return table_file_make(table->path, capacity, NULL, false, now_ms, why_r) &&
           table_file_map(table->path, &table->map, why_r) == 1;
}

struct table *table_open(const char *path, enum table_role role, size_t capacity, int64_t now_ms,
                         char why_r[TABLE_WHY_SIZE])
{
    struct table *table = calloc(1, sizeof *table);
    bool opened;

    snprintf(why_r, TABLE_WHY_SIZE, "out of memory");
    if (table == NULL)
        return NULL;
    table->lock_fd = -1;
    pthread_mutex_init(&table->claiming, NULL);
    opened = sodium_init() >= 0 && (table->path = strdup(path)) != NULL &&
             (role == TABLE_WRITER ? open_writer(table, capacity, now_ms, why_r)
                                   : open_reader(table, capacity, now_ms, why_r));
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

static struct slots_hash hash_key(const struct table *table, const char *key, size_t key_len)
{
    struct slots_hash hash;

    crypto_shorthash_siphashx24((unsigned char *)hash.part, (const unsigned char *)key, key_len,
                                table->map.header->hash_key);
    return hash;
}

int table_lookup(struct table *table, const char *key, size_t key_len, int default_priority,
                 int64_t now_ms, int *priority_r)
{
    struct slots_hash hash = hash_key(table, key, key_len);

    return slots_lookup(&table->map.slots, &hash, default_priority, now_ms, priority_r);
}

int table_peek(const struct table *table, const char *key, size_t key_len, int *priority_r)
{
    struct slots_hash hash = hash_key(table, key, key_len);

    return slots_peek(&table->map.slots, &hash, priority_r);
}

/* Somebody has removed the file: readers wait for it, and what is mapped here is still right. */
static bool restore(struct table *table, int64_t now_ms)
{
    char why[TABLE_WHY_SIZE];
    struct table_map fresh;

    if (!table_file_make(table->path, table->map.slots.capacity, &table->map, true, now_ms, why) ||
        table_file_map(table->path, &fresh, why) != 1) {
        if (!table->cannot_restore)
            log_error("%s was removed, and cannot be made again: %s", table->path, why);
        table->cannot_restore = true;
        return false;
    }
    log_warn("%s was removed, and is made again", table->path);
    table->cannot_restore = false;
    table_file_unmap(&table->map);
    table->map = fresh;
    return true;
}

enum table_claim table_claim(struct table *table, const char *key, size_t key_len, int priority,
                             int64_t lifetime_ms, int64_t now_ms)
{
    enum table_claim result = TABLE_FULL;

    pthread_mutex_lock(&table->claiming);
    if (table_is_current(table) || restore(table, now_ms)) {
        struct slots_hash hash = hash_key(table, key, key_len);

        result = slots_claim(&table->map.slots, &hash, priority, lifetime_ms, now_ms);
    }
    pthread_mutex_unlock(&table->claiming);
    return result;
}

struct table_stats table_stats(const struct table *table)
{
    const struct slots *slots = &table->map.slots;

    return (struct table_stats){
        .capacity = slots->capacity,
        .claims = (size_t)atomic_load_explicit(&slots->shared->claims, memory_order_relaxed)};
}
