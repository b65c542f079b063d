/* test_table - the decision table's file: made, shared, damaged, replaced */
#include "table/table.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"

enum { LIFETIME_MS = 60000 };

static char folder[64], path[128], why[TABLE_WHY_SIZE];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/peg-table-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/decisions", folder);
    return 0;
}

static int remove_folder(void **state)
{
    char lock[160];

    (void)state;
    snprintf(lock, sizeof lock, "%s.lock", path);
    unlink(path);
    unlink(lock);
    return rmdir(folder); /* fails if anything else was left behind */
}

static struct table *open_table(enum table_role role, size_t capacity)
{
    struct table *table = table_open(path, role, capacity, 0, why);

    if (table == NULL)
        fail_msg("%s", why);
    return table;
}

static void assert_priority(struct table *table, const char *key, int expected)
{
    int priority = -1;

    assert_int_equal(table_peek(table, key, strlen(key), &priority), expected >= 0);
    assert_int_equal(priority, expected);
}

static void claim(struct table *table, const char *key, int priority)
{
    assert_int_equal(table_claim(table, key, strlen(key), priority, LIFETIME_MS, 1000),
                     TABLE_CLAIMED);
}

static void a_reader_sees_what_the_writer_claims(void **state)
{
    struct table *writer = open_table(TABLE_WRITER, 1000);
    struct table *reader = open_table(TABLE_READER, 1000);

    (void)state;
    claim(writer, "bob@dest.example", 4);
    assert_priority(reader, "bob@dest.example", 4);
    assert_priority(reader, "Bob@dest.example", -1);
    assert_int_equal(table_stats(reader).claims, 1);
    table_close(&reader);
    table_close(&writer);
}

static void claims_survive_a_restart_of_either(void **state)
{
    struct table *reader = open_table(TABLE_READER, 1000); /* the first may be the reader */
    struct table *writer = open_table(TABLE_WRITER, 1000);

    (void)state;
    claim(writer, "bob@dest.example", 4);
    table_close(&writer);
    assert_priority(reader, "bob@dest.example", 4);
    writer = open_table(TABLE_WRITER, 1000);
    assert_true(table_is_current(reader));
    assert_priority(writer, "bob@dest.example", 4);
    table_close(&reader);
    table_close(&writer);
}

static void there_is_one_writer(void **state)
{
    struct table *writer = open_table(TABLE_WRITER, 1000);

    (void)state;
    assert_null(table_open(path, TABLE_WRITER, 1000, 0, why));
    assert_non_null(strstr(why, "another process"));
    table_close(&writer);
}

static void another_capacity_takes_the_claims_along(void **state)
{
    struct table *writer = open_table(TABLE_WRITER, 1000);
    struct table *reader = open_table(TABLE_READER, 1000);

    (void)state;
    claim(writer, "bob@dest.example", 4);
    table_close(&writer);
    writer = open_table(TABLE_WRITER, 5000);
    assert_int_equal(table_stats(writer).capacity, 5000);
    assert_priority(writer, "bob@dest.example", 4);
    assert_false(table_is_current(reader));
    table_close(&reader);
    table_close(&writer);
}

static void overwrite(off_t offset, const void *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, offset), len);
    close(fd);
}

static void a_damaged_table_is_not_trusted(void **state)
{
    static const uint32_t other_version = 77;
    static const struct {
        off_t offset;
        const void *bytes;
        size_t len;
    } damages[] = {{0, "GARBAGE!", 8}, {8, &other_version, 4}, {16, "\1\2\3\4\5\6\7\7", 8}};

    (void)state;
    for (size_t n = 0; n < LENGTH(damages); n++) {
        struct table *writer = open_table(TABLE_WRITER, 1000);

        claim(writer, "bob@dest.example", 4);
        table_close(&writer);
        overwrite(damages[n].offset, damages[n].bytes, damages[n].len);
        assert_null(table_open(path, TABLE_READER, 1000, 0, why));
        writer = open_table(TABLE_WRITER, 1000);
        assert_priority(writer, "bob@dest.example", -1);
        table_close(&writer);
        assert_int_equal(truncate(path, 5000), 0);
        assert_null(table_open(path, TABLE_READER, 1000, 0, why));
        assert_int_equal(truncate(path, 0), 0);
        assert_null(table_open(path, TABLE_READER, 1000, 0, why));
    }
}

static void claims_of_an_earlier_boot_count_as_used_now(void **state)
{
    struct table *writer = open_table(TABLE_WRITER, 1000);
    const int64_t now_ms = 5000;

    (void)state;
    claim(writer, "bob@dest.example", 4);
    table_close(&writer);
    overwrite(40, "another boot", 13);
    writer = table_open(path, TABLE_WRITER, 1000, now_ms, why);
    assert_non_null(writer);
    assert_priority(writer, "bob@dest.example", 4);
    assert_int_equal(
        table_claim(writer, "bob@dest.example", 16, 0, LIFETIME_MS, now_ms + LIFETIME_MS),
        TABLE_CONFLICT);
    table_close(&writer);
}

static void a_table_that_was_removed_comes_back_with_its_claims(void **state)
{
    struct table *writer = open_table(TABLE_WRITER, 1000);
    struct table *reader = open_table(TABLE_READER, 1000);

    (void)state;
    claim(writer, "bob@dest.example", 4);
    assert_int_equal(unlink(path), 0);
    assert_false(table_is_current(reader));
    table_close(&reader);
    assert_null(table_open(path, TABLE_READER, 1000, 0, why)); /* it must not make an empty one */
    claim(writer, "eve@dest.example", 1);
    reader = open_table(TABLE_READER, 1000);
    assert_priority(reader, "bob@dest.example", 4);
    assert_priority(reader, "eve@dest.example", 1);
    table_close(&reader);
    table_close(&writer);
}

static void a_path_that_cannot_be_made_is_reported(void **state)
{
    (void)state;
    assert_null(table_open("/nonexistent/decisions", TABLE_WRITER, 1000, 0, why));
    assert_non_null(strstr(why, "/nonexistent/decisions"));
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(a_reader_sees_what_the_writer_claims),
        WITH_FOLDER(claims_survive_a_restart_of_either),
        WITH_FOLDER(there_is_one_writer),
        WITH_FOLDER(another_capacity_takes_the_claims_along),
        WITH_FOLDER(a_damaged_table_is_not_trusted),
        WITH_FOLDER(claims_of_an_earlier_boot_count_as_used_now),
        WITH_FOLDER(a_table_that_was_removed_comes_back_with_its_claims),
        cmocka_unit_test(a_path_that_cannot_be_made_is_reported),
    };

    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
