/*
 * tidy_fixture - a decision table, a store, and a postqueue of its own making, for tidy()
 *
 * To be included by one file of a test.
 */
#ifndef PEG_TIDY_FIXTURE_H
#define PEG_TIDY_FIXTURE_H

#include "keeper/tidy.h"
#include "lib/clock.h"
#include "lib/settings.h"
#include "store/find.h"
#include "store/journal.h"
#include "tests/unit/store_fixture.h"
#include "tests/unit/unit.h"

enum { LONG_AGO_MS = 1, DAY_MS = 24 * 3600 * 1000 };

/* The decision table, and a postqueue that does what its script `hook` says, prints the file
 * `listing`, and ends with the status in the file `status`. What it says of the urgent frontend
 * stands in `urgent`. */
static char gateway[64], table_path[96], table_lock_path[96];
static struct table *table;

static const char *const gateway_files[] = {"decisions", "lock",   "postqueue", "hook",
                                            "listing",   "status", "calls",     "urgent"};
static const struct look_frontend the_frontend = {PEG_FRONTEND, gateway};
static const struct look_frontend both_frontends[] = {{PEG_URGENT, "urgent"},
                                                      {PEG_FRONTEND, gateway}};

#define POSTQUEUE                         \
    "#!/bin/sh\n"                         \
    "cd \"${0%/*}\" || exit 9\n"          \
    "echo x >>calls\n"                    \
    ". ./hook\n"                          \
    "[ \"$2\" = urgent ] && . ./urgent\n" \
    "cat listing\n"                       \
    "exit $(cat status)\n"

static void put_text(const char *name, const char *text)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", gateway, name);
    file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0755), 0);
}

/* A message that postqueue lists; recipients as JSON. */
#define MESSAGE(queue, id, recipients)                                                         \
    "{\"queue_name\": \"" queue "\", \"queue_id\": \"" id "\", \"arrival_time\": 1795374283, " \
    "\"message_size\": 312, \"forced_expire\": false, \"sender\": \"a@source.example\", "      \
    "\"recipients\": [" recipients "]}\n"
#define RCPT(address) "{\"address\": \"" address "\", \"delay_reason\": \"none\"}"

static struct table *open_table_with(bool (*recover)(void *, struct table_fill *, char *))
{
    const struct table_config config = {
        .path = table_path, .lock_path = table_lock_path, .capacity = 1000, .recover = recover};
    struct table *opened = table_open(&config, TABLE_WRITER, LONG_AGO_MS, why);

    if (opened == NULL)
        fail_msg("%s", why);
    return opened;
}

static int set_up(void **state)
{
    char path[128];

    if (make_folder(state) != 0)
        return -1;
    strcpy(gateway, "/tmp/peg-tidy-XXXXXX");
    if (mkdtemp(gateway) == NULL)
        return -1;
    snprintf(table_path, sizeof table_path, "%s/decisions", gateway);
    snprintf(table_lock_path, sizeof table_lock_path, "%s/lock", gateway);
    snprintf(path, sizeof path, "%s:/usr/bin:/bin", gateway);
    setenv("PATH", path, 1);
    put_text("postqueue", POSTQUEUE);
    put_text("hook", ":\n");
    put_text("status", "0\n");
    put_text("listing", "");
    table = open_table_with(NULL);
    return 0;
}

static int tear_down(void **state)
{
    table_close(&table);
    for (size_t n = 0; n < LENGTH(gateway_files); n++) {
        char path[128];

        snprintf(path, sizeof path, "%s/%s", gateway, gateway_files[n]);
        unlink(path);
    }
    return rmdir(gateway) != 0 || remove_folder(state) != 0 ? -1 : 0; /* nothing else is left */
}

static struct tidy_result UNUSED run_on(const struct look_frontend frontends[], size_t count,
                                        bool expected, bool force)
{
    /* The decisions of the fixture are old by then. */
    const struct tidy_config config = {.table = table_path,
                                       .folder = folder,
                                       .frontends = frontends,
                                       .frontend_count = count,
                                       .wall_ms = wall_ms + DAY_MS,
                                       .force = force};
    struct tidy_result result;

    assert_int_equal(tidy(&config, &result), expected);
    return result;
}

static struct tidy_result UNUSED run(bool expected, bool force)
{
    return run_on(&the_frontend, 1, expected, force);
}

static void UNUSED claim(const char *key, int priority)
{
    assert_int_equal(table_claim(table, key, strlen(key), priority, 0, LONG_AGO_MS), TABLE_CLAIMED);
}

/* Whether a claim on priority 4 may be had by another priority. */
static bool UNUSED is_free(const char *key)
{
    return table_claim(table, key, strlen(key), 1, 0, clock_boot_ms()) == TABLE_CLAIMED;
}

static uint64_t UNUSED scans(void)
{
    return table_counter(table, TABLE_COUNT_SCANS);
}

static size_t UNUSED calls(void)
{
    char path[128];
    struct stat status;

    snprintf(path, sizeof path, "%s/calls", gateway);
    return stat(path, &status) == 0 ? (size_t)status.st_size / 2 : 0;
}

static bool UNUSED has_message(const char *queue_id)
{
    struct record_reader reader;
    int found = find_message(folder, queue_id, &reader, why);

    assert_true(found >= 0);
    if (found == 1)
        record_reader_free(&reader);
    return found == 1;
}

static bool recover_unsure(void *arg, struct table_fill *fill, char *why_r)
{
    (void)arg, (void)why_r;
    table_fill_claim(fill, "bob@dest.example", 16, 4);
    table_fill_claim(fill, "carl@dest.example", 17, 2);
    table_fill_is_unsure(fill);
    return true;
}

static void UNUSED make_table_unsure(void)
{
    table_close(&table);
    assert_int_equal(unlink(table_path), 0);
    assert_int_equal(unlink(table_lock_path), 0); /* as after a boot */
    table = open_table_with(recover_unsure);
    assert_true(table_is_unsure(table));
}

#define TIDY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
