/* test_table_doubts - what a table made anew does not know: lost claims, answers given before it */
#include "table/table.h"

#include "tests/unit/table_fixture.h"
#include "tests/unit/unit.h"

/* Mail that lost its claim goes by the highest priority, whatever new mail for its recipient gets,
 * now and when the doubts are over. */
static void what_may_have_been_lost_is_claimed_by_nobody(void **state)
{
    enum { HIGHEST = 4, LATER_MS = START_MS + 40000 };
    struct recovery recovery = {.keys = {NULL, "eve@dest.example"}, .is_unsure = true};
    struct table *table = open_recovering(TABLE_WRITER, &recovery);
    int priority;

    (void)state;
    assert_int_equal(claim_at(table, "bob@dest.example", 0, LATER_MS), TABLE_TOO_EARLY);
    assert_priority(table, "bob@dest.example", TABLE_PRIORITY_MAX);
    assert_int_equal(claim_at(table, "bob@dest.example", 0, LATER_MS), TABLE_CONFLICT);
    assert_int_equal(claim_at(table, "eve@dest.example", 3, LATER_MS), TABLE_CLAIMED);
    for (int n = 0; n < 2; n++)
        table_scanned(table, LATER_MS + n, true);
    assert_false(table_is_unsure(table));
    assert_int_equal(
        table_lookup(table, "bob@dest.example", 16, HIGHEST, LATER_MS + 300000, &priority), 1);
    assert_int_equal(priority, TABLE_PRIORITY_MAX);
    assert_int_equal(claim_at(table, "zoe@dest.example", 0, LATER_MS), TABLE_CLAIMED);
    table_close(&table);
}

/* A writer that had to wait for who made the table, and then gave it another size, has looked at
 * the clock before. */
static void what_is_not_known_does_not_end_earlier_in_another_size(void **state)
{
    enum { MADE_MS = START_MS + 50000 };
    const struct table_config config = {.path = path, .lock_path = lock_path, .capacity = CAPACITY};
    struct table *reader, *writer;

    (void)state;
    writer = open_table(TABLE_WRITER);
    table_close(&writer);
    assert_int_equal(unlink(path), 0);
    reader = table_open(&config, TABLE_READER, MADE_MS, why);
    assert_non_null(reader);
    writer = try_open(TABLE_WRITER, CAPACITY + 1, NULL);
    assert_non_null(writer);
    assert_int_equal(claim_at(writer, "eve@dest.example", 4, MADE_MS + 34000), TABLE_TOO_EARLY);
    assert_int_equal(claim_at(writer, "eve@dest.example", 4, MADE_MS + 50000), TABLE_CLAIMED);
    table_close(&writer);
    table_close(&reader);
}

/* It stands in the place of another one, whatever the file that says so has come to. */
static void a_table_that_was_damaged_has_answered(void **state)
{
    struct table *writer = open_table(TABLE_WRITER);

    (void)state;
    table_close(&writer);
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(unlink(lock_path), 0);
    writer = open_table(TABLE_WRITER);
    assert_int_equal(claim_at(writer, "eve@dest.example", 4, START_MS), TABLE_TOO_EARLY);
    table_close(&writer);
    assert_int_equal(unlink(beside(".damaged", (char[160]){0})), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(what_may_have_been_lost_is_claimed_by_nobody),
        WITH_FOLDER(what_is_not_known_does_not_end_earlier_in_another_size),
        WITH_FOLDER(a_table_that_was_damaged_has_answered),
    };

    return cmocka_run_group_tests_name("table doubts", tests, NULL, NULL);
}
