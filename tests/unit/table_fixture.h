/*
 * table_fixture - a decision table in a folder of its own, and what there is to have back for it
 *
 * Included once by a test program; functions are inline since not every program uses all.
 */
#ifndef PEG_TABLE_FIXTURE_H
#define PEG_TABLE_FIXTURE_H

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "table/table.h"
#include "tests/unit/unit.h"

enum { LIFETIME_MS = 60000, CAPACITY = 1000, DEFAULT = 2, NONE = -1, START_MS = 1000 };

static char folder[64], path[128], lock_path[128], why[TABLE_WHY_SIZE];

static inline int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/peg-table-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/decisions", folder);
    snprintf(lock_path, sizeof lock_path, "%s/lock", folder);
    return 0;
}

/* The path of a file beside the table. */
static inline const char *beside(const char *ending, char path_r[160])
{
    snprintf(path_r, 160, "%s%s", path, ending);
    return path_r;
}

static inline bool is_beside(const char *ending)
{
    char file[160];

    return access(beside(ending, file), F_OK) == 0;
}

static inline int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    unlink(lock_path);
    return rmdir(folder); /* fails if anything else was left behind */
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

/* What is on disk, so to say. */
struct recovery {
    const char *keys[3]; /* with the priorities 4, 3, 1 */
    bool is_unsure;
    bool fails;
    void (*meanwhile)(void *arg);
    void *arg;
    int calls;
};

static inline bool recover(void *arg, struct table_fill *fill, char why_r[TABLE_WHY_SIZE])
{
    static const int priorities[] = {4, 3, 1};
    struct recovery *recovery = arg;

    recovery->calls++;
    if (recovery->meanwhile != NULL)
        recovery->meanwhile(recovery->arg);
    for (size_t n = 0; n < LENGTH(priorities); n++)
        if (recovery->keys[n] != NULL)
            table_fill_claim(fill, recovery->keys[n], strlen(recovery->keys[n]), priorities[n]);
    if (recovery->is_unsure)
        table_fill_is_unsure(fill);
    if (recovery->fails)
        snprintf(why_r, TABLE_WHY_SIZE, "the disk is on fire");
    return !recovery->fails;
}

/* NULL is a result, too. */
static inline struct table *try_open(enum table_role role, size_t capacity,
                                     struct recovery *recovery)
{
    const struct table_config config = {.path = path,
                                        .lock_path = lock_path,
                                        .capacity = capacity,
                                        .recover = recovery != NULL ? recover : NULL,
                                        .arg = recovery};

    strcpy(why, "no reason");
    return table_open(&config, role, START_MS, why);
}

static inline struct table *open_recovering(enum table_role role, struct recovery *recovery)
{
    struct table *table = try_open(role, CAPACITY, recovery);

    if (table == NULL)
        fail_msg("%s", why);
    return table;
}

static inline struct table *open_table(enum table_role role)
{
    return open_recovering(role, NULL);
}

static inline void assert_not_opened(enum table_role role, struct recovery *recovery,
                                     const char *reason)
{
    assert_null(try_open(role, CAPACITY, recovery));
    if (strstr(why, reason) == NULL)
        fail_msg("`%s' instead of `%s'", why, reason);
}

static inline void assert_priority(struct table *table, const char *key, int expected)
{
    int priority = NONE;

    assert_int_equal(table_peek(table, key, strlen(key), &priority), expected >= 0);
    assert_int_equal(priority, expected);
}

static inline enum table_claim claim_at(struct table *table, const char *key, int priority,
                                        int64_t now_ms)
{
    return table_claim(table, key, strlen(key), priority, LIFETIME_MS, now_ms);
}

static inline void claim(struct table *table, const char *key, int priority)
{
    assert_int_equal(claim_at(table, key, priority, START_MS), TABLE_CLAIMED);
}

static inline int look_up(struct table *table, const char *key, int64_t now_ms)
{
    int priority = NONE;
    int found = table_lookup(table, key, strlen(key), DEFAULT, now_ms, &priority);

    assert_true(found == 1 || priority == DEFAULT);
    return priority;
}

#endif
