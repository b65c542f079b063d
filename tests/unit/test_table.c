/* test_table - the decision table in a file: shared, removed, counted */
#include "table/table.h"

#include <string.h>
#include <unistd.h>

#include "tests/unit/table_fixture.h"
#include "tests/unit/unit.h"

static void a_reader_sees_what_the_writer_claims(void **state)
{
    struct table *writer = open_table(TABLE_WRITER);
    struct table *reader = open_table(TABLE_READER);

    (void)state;
    claim(writer, "bob@dest.example", 4);
    assert_priority(reader, "bob@dest.example", 4);
    assert_priority(reader, "Bob@dest.example", NONE);
    assert_int_equal(table_stats(reader).claims, 1);
    assert_int_equal(table_stats(reader).capacity, CAPACITY);
    table_close(&reader);
    table_close(&writer);
}

static void claims_survive_a_restart_of_either(void **state)
{
    struct table *reader = open_table(TABLE_READER); /* the first may be the reader */
    struct table *writer = open_table(TABLE_WRITER);

    (void)state;
    claim(writer, "bob@dest.example", 4);
    table_close(&writer);
    assert_priority(reader, "bob@dest.example", 4);
    writer = open_table(TABLE_WRITER);
    assert_true(table_is_current(reader));
    assert_priority(writer, "bob@dest.example", 4);
    table_close(&reader);
    reader = open_table(TABLE_READER);
    assert_priority(reader, "bob@dest.example", 4);
    table_close(&reader);
    table_close(&writer);
}

static void there_is_one_writer(void **state)
{
    struct table *writer = open_table(TABLE_WRITER);

    (void)state;
    assert_not_opened(TABLE_WRITER, NULL, "another process");
    assert_non_null(strstr(why, path));
    table_close(&writer);
    writer = open_table(TABLE_WRITER);
    table_close(&writer);
}

static void what_postfix_was_answered_is_known_to_the_writer(void **state)
{
    struct table *writer = open_table(TABLE_WRITER);
    struct table *reader = open_table(TABLE_READER);

    (void)state;
    assert_int_equal(look_up(reader, "bob@dest.example", START_MS), DEFAULT);
    assert_int_equal(claim_at(writer, "bob@dest.example", 4, START_MS), TABLE_CONFLICT);
    assert_int_equal(look_up(reader, "bob@dest.example", START_MS), DEFAULT);
    assert_int_equal(claim_at(writer, "bob@dest.example", DEFAULT, START_MS), TABLE_CLAIMED);
    assert_int_equal(table_refresh(reader, "eve@dest.example", 16, START_MS), 0);
    assert_int_equal(claim_at(writer, "eve@dest.example", 4, START_MS), TABLE_CLAIMED);
    table_close(&reader);
    table_close(&writer);
}

static void looks_into_the_queue_end_the_life_of_claims(void **state)
{
    const int64_t late_ms = 10 * LIFETIME_MS;
    struct table *writer = open_table(TABLE_WRITER);
    struct table *reader = open_table(TABLE_READER);

    (void)state;
    claim(writer, "bob@dest.example", 4);
    claim(writer, "eve@dest.example", 4);
    assert_int_equal(table_wanted(reader), 0);
    assert_int_equal(claim_at(writer, "bob@dest.example", 0, late_ms), TABLE_CONFLICT);
    assert_int_equal(table_wanted(reader), TABLE_WANT_SCAN);
    for (int n = 0; n < 2; n++) {
        assert_int_equal(table_refresh(reader, "eve@dest.example", 16, late_ms + n), 1);
        table_scanned(reader, late_ms + n, true);
    }
    assert_int_equal(claim_at(writer, "bob@dest.example", 0, late_ms + 2), TABLE_CLAIMED);
    assert_int_equal(claim_at(writer, "eve@dest.example", 0, late_ms + 2), TABLE_CONFLICT);
    assert_int_equal(table_counter(reader, TABLE_COUNT_SCANS), 2);
    table_close(&reader);
    table_close(&writer);
}

static void wants_pass_from_one_to_the_other(void **state)
{
    struct table *writer = open_table(TABLE_WRITER);
    struct table *reader = open_table(TABLE_READER);

    (void)state;
    assert_int_equal(table_wanted(reader), 0);
    table_want(writer, TABLE_WANT_COMPACT);
    table_want(writer, TABLE_WANT_SCAN);
    assert_int_equal(table_wanted(reader), TABLE_WANT_COMPACT | TABLE_WANT_SCAN);
    table_want_no_more(reader, TABLE_WANT_COMPACT);
    assert_int_equal(table_wanted(writer), TABLE_WANT_SCAN);
    table_want_no_more(reader, TABLE_WANT_SCAN);
    assert_int_equal(table_wanted(writer), 0);
    table_close(&reader);
    table_close(&writer);
}

static void what_happens_is_counted(void **state)
{
    struct table *writer = try_open(TABLE_WRITER, 2, NULL);
    struct table *reader = open_table(TABLE_READER);

    (void)state;
    assert_non_null(writer);
    claim(writer, "bob@dest.example", 4);
    claim(writer, "eve@dest.example", 4);
    claim(writer, "eve@dest.example", 4);
    assert_int_equal(claim_at(writer, "bob@dest.example", 0, START_MS), TABLE_CONFLICT);
    for (int n = 0; n < 4; n++)
        assert_int_equal(claim_at(writer, "zoe@dest.example", 0, START_MS), TABLE_FULL);
    assert_int_equal(look_up(reader, "bob@dest.example", START_MS), 4);
    for (int n = 0; n < 5; n++)
        assert_int_equal(look_up(reader, "zoe@dest.example", START_MS), DEFAULT);
    table_count(writer, TABLE_COUNT_FILTER, 7);
    table_count(writer, TABLE_COUNT_FILTER, 1);
    assert_int_equal(table_counter(reader, TABLE_COUNT_CLAIMS), 3);
    assert_int_equal(table_counter(reader, TABLE_COUNT_CONFLICTS), 1);
    assert_int_equal(table_counter(reader, TABLE_COUNT_FULL), 4);
    assert_int_equal(table_counter(reader, TABLE_COUNT_LOOKUPS), 6);
    assert_int_equal(table_counter(reader, TABLE_COUNT_MISSES), 5);
    assert_int_equal(table_counter(reader, TABLE_COUNT_FILTER), 8);
    assert_int_equal(table_counter(reader, TABLE_COUNT_RECOVERIES), 1);
    assert_int_equal(table_counter(reader, TABLE_COUNT_SCANS), 0);
    table_close(&reader);
    table_close(&writer);
}

static void every_counter_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int n = 0; n < TABLE_COUNTERS; n++) {
        const char *name = table_counter_name((enum table_counter)n);

        assert_non_null(name);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
        for (int other = 0; other < n; other++)
            assert_string_not_equal(name, table_counter_name((enum table_counter)other));
    }
    assert_string_equal(table_counter_name(TABLE_COUNT_JOURNAL_SYNCS), "journal_syncs");
}

static void a_table_that_was_removed_comes_back_with_what_it_had(void **state)
{
    struct recovery recovery = {.keys = {"zoe@dest.example"}};
    struct table *writer = open_table(TABLE_WRITER);
    struct table *reader = open_table(TABLE_READER);
    const int64_t later_ms = START_MS + 40000;

    (void)state;
    claim(writer, "bob@dest.example", 4);
    table_count(writer, TABLE_COUNT_PLAIN, 5);
    assert_int_equal(look_up(reader, "eve@dest.example", START_MS), DEFAULT);
    assert_int_equal(unlink(path), 0);
    assert_false(table_is_current(reader));
    table_close(&reader);
    assert_not_opened(TABLE_READER, &recovery, "there is none"); /* it must not make one */
    assert_int_equal(recovery.calls, 0);
    /* What the reader answered just then from the file that was removed, nobody knows. */
    assert_int_equal(claim_at(writer, "joe@dest.example", 1, START_MS), TABLE_TOO_EARLY);
    assert_int_equal(claim_at(writer, "bob@dest.example", 4, START_MS), TABLE_TOO_EARLY);
    assert_int_equal(claim_at(writer, "joe@dest.example", 1, later_ms), TABLE_CLAIMED);
    reader = open_table(TABLE_READER);
    assert_priority(reader, "bob@dest.example", 4);
    assert_priority(reader, "joe@dest.example", 1);
    assert_priority(reader, "zoe@dest.example", NONE);
    assert_int_equal(table_counter(reader, TABLE_COUNT_PLAIN), 5);
    assert_true(table_is_current(writer));
    table_close(&reader);
    table_close(&writer);
}

/* As where somebody clears the folder of the table: the lock is elsewhere. */
static void a_reader_waits_for_the_writer_where_the_table_was_removed(void **state)
{
    struct recovery recovery = {.keys = {"zoe@dest.example"}};
    struct table *writer = open_table(TABLE_WRITER), *reader;

    (void)state;
    claim(writer, "bob@dest.example", 4);
    assert_true(table_restore(writer, START_MS));
    assert_true(table_is_current(writer));
    assert_int_equal(unlink(path), 0);
    assert_not_opened(TABLE_READER, &recovery, "there is none");
    assert_not_opened(TABLE_WRITER, &recovery, "another process");
    assert_true(table_restore(writer, START_MS));
    assert_int_equal(recovery.calls, 0);
    reader = open_table(TABLE_READER);
    assert_priority(reader, "bob@dest.example", 4);
    table_close(&reader);
    table_close(&writer);
}

static void a_table_that_cannot_be_made_again_is_made_later(void **state)
{
    struct table *writer = open_table(TABLE_WRITER);
    char elsewhere[80];

    (void)state;
    claim(writer, "bob@dest.example", 4);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(lock_path), 0);
    snprintf(elsewhere, sizeof elsewhere, "%s.away", folder);
    assert_int_equal(rename(folder, elsewhere), 0);
    for (int n = 0; n < 2; n++) {
        assert_false(table_restore(writer, START_MS));
        assert_int_equal(claim_at(writer, "bob@dest.example", 4, START_MS), TABLE_FULL);
    }
    assert_int_equal(rename(elsewhere, folder), 0);
    assert_true(table_restore(writer, START_MS));
    assert_true(table_is_current(writer));
    assert_priority(writer, "bob@dest.example", 4);
    table_close(&writer);
}

static void a_path_that_cannot_be_made_is_reported(void **state)
{
    const struct table_config config = {
        .path = "/nonexistent/decisions", .lock_path = "/nonexistent/lock", .capacity = CAPACITY};

    (void)state;
    for (enum table_role role = TABLE_WRITER; role <= TABLE_GUEST; role++) {
        assert_null(table_open(&config, role, 0, why));
        assert_non_null(strstr(why, "/nonexistent/"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(a_reader_sees_what_the_writer_claims),
        WITH_FOLDER(claims_survive_a_restart_of_either),
        WITH_FOLDER(there_is_one_writer),
        WITH_FOLDER(what_postfix_was_answered_is_known_to_the_writer),
        WITH_FOLDER(looks_into_the_queue_end_the_life_of_claims),
        WITH_FOLDER(wants_pass_from_one_to_the_other),
        WITH_FOLDER(what_happens_is_counted),
        cmocka_unit_test(every_counter_has_a_name_of_its_own),
        WITH_FOLDER(a_table_that_was_removed_comes_back_with_what_it_had),
        WITH_FOLDER(a_reader_waits_for_the_writer_where_the_table_was_removed),
        WITH_FOLDER(a_table_that_cannot_be_made_again_is_made_later),
        cmocka_unit_test(a_path_that_cannot_be_made_is_reported),
    };

    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
