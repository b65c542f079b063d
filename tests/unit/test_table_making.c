/* test_table_making - a table made anew: with what is on disk, by whom, and what is not trusted */
#include "table/table.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "tests/unit/table_fixture.h"
#include "tests/unit/unit.h"

static const enum table_role makers[] = {TABLE_WRITER, TABLE_READER};

static void remove_table(void)
{
    assert_int_equal(unlink(path), 0);
}

static void remove_aside(void)
{
    char file[160];

    assert_int_equal(unlink(beside(".damaged", file)), 0);
}

static void overwrite(const char *file, off_t offset, const void *bytes, size_t len)
{
    int fd = open(file, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, offset), len);
    close(fd);
}

/* A table in the file with a claim of its own, and nobody who has it open. */
static void leave_table(void)
{
    struct table *writer;

    unlink(lock_path); /* and this is the first one since boot */
    writer = open_table(TABLE_WRITER);
    claim(writer, "bob@dest.example", 4);
    table_close(&writer);
}

static void either_recovers_where_there_is_none(void **state)
{
    (void)state;
    for (size_t n = 0; n < LENGTH(makers); n++) {
        struct recovery recovery = {
            .keys = {"bob@dest.example", "eve@dest.example", "bob@dest.example"}};
        struct table *table = open_recovering(makers[n], &recovery);

        assert_int_equal(recovery.calls, 1);
        assert_priority(table, "bob@dest.example", 4); /* the first is the newer one */
        assert_priority(table, "eve@dest.example", 3);
        assert_int_equal(table_stats(table).claims, 2);
        assert_int_equal(table_counter(table, TABLE_COUNT_RECOVERIES), 1);
        assert_false(table_is_unsure(table));
        assert_int_equal(table_wanted(table), 0);
        table_close(&table);
        remove_table();
    }
}

static void nobody_recovers_where_there_is_one(void **state)
{
    struct recovery recovery = {.keys = {"zoe@dest.example"}};

    (void)state;
    leave_table();
    for (size_t n = 0; n < LENGTH(makers); n++) {
        struct table *table = open_recovering(makers[n], &recovery);

        assert_priority(table, "bob@dest.example", 4);
        assert_priority(table, "zoe@dest.example", NONE);
        assert_int_equal(table_counter(table, TABLE_COUNT_RECOVERIES), 1);
        table_close(&table);
    }
    assert_int_equal(recovery.calls, 0);
}

static void what_cannot_be_recovered_is_no_table(void **state)
{
    struct recovery recovery = {.keys = {"zoe@dest.example"}, .fails = true};

    (void)state;
    for (size_t n = 0; n < LENGTH(makers); n++) {
        assert_not_opened(makers[n], &recovery, "the disk is on fire");
        assert_false(is_beside("") || is_beside(".new"));
    }
    assert_int_equal(recovery.calls, 2);

    leave_table();
    overwrite(path, 0, "GARBAGE!", 8);
    for (size_t n = 0; n < LENGTH(makers); n++) { /* nothing is touched before it can be made */
        assert_not_opened(makers[n], &recovery, "the disk is on fire");
        assert_true(is_beside(""));
        assert_false(is_beside(".new") || is_beside(".damaged"));
    }
    assert_int_equal(recovery.calls, 4);
}

/* "Now" is when the table was made, by the clock: START_MS, or some ms later. */
static void claims_that_were_recovered_count_as_used_now(void **state)
{
    struct recovery recovery = {.keys = {"bob@dest.example"}};
    int64_t began_ms = clock_boot_ms();
    struct table *writer = open_recovering(TABLE_WRITER, &recovery);
    int64_t made_ms = START_MS + clock_boot_ms() - began_ms; /* at the latest */

    (void)state;
    table_scanned(writer, made_ms + 1, true);
    table_scanned(writer, made_ms + 2, true);
    assert_int_equal(claim_at(writer, "bob@dest.example", 0, START_MS + LIFETIME_MS),
                     TABLE_CONFLICT);
    assert_int_equal(claim_at(writer, "bob@dest.example", 0, made_ms + LIFETIME_MS + 1),
                     TABLE_CLAIMED);
    table_close(&writer);
}

static void doubts_end_with_two_clean_looks_into_the_queue(void **state)
{
    struct recovery recovery = {.is_unsure = true};
    struct table *table = open_recovering(TABLE_READER, &recovery);

    (void)state;
    assert_true(table_is_unsure(table));
    assert_int_equal(table_wanted(table), TABLE_WANT_SCAN);
    table_scanned(table, START_MS + 1, true);
    table_close(&table);
    table = open_recovering(TABLE_WRITER, &recovery);
    assert_true(table_is_unsure(table));
    table_scanned(table, START_MS + 2, true);
    assert_false(table_is_unsure(table));
    table_close(&table);
}

static void claims_without_room_are_doubts(void **state)
{
    struct recovery recovery = {
        .keys = {"bob@dest.example", "eve@dest.example", "zoe@dest.example"}};
    struct table *table = try_open(TABLE_WRITER, 2, &recovery);

    (void)state;
    assert_non_null(table);
    assert_true(table_is_unsure(table));
    assert_int_equal(table_stats(table).claims, 2);
    assert_priority(table, "bob@dest.example", 4); /* the newer ones */
    assert_priority(table, "eve@dest.example", 3);
    table_close(&table);
    table = try_open(TABLE_WRITER, 1, &recovery); /* another capacity */
    assert_non_null(table);
    assert_true(table_is_unsure(table));
    assert_int_equal(table_stats(table).claims, 1);
    table_close(&table);
}

static void what_a_predecessor_answered_is_not_known(void **state)
{
    (void)state;
    for (int had = 0; had < 2; had++) {
        struct recovery recovery = {.keys = {"bob@dest.example"}};
        struct table *writer = open_recovering(TABLE_WRITER, &recovery);

        assert_int_equal(claim_at(writer, "eve@dest.example", 4, START_MS + 30000),
                         had == 1 ? TABLE_TOO_EARLY : TABLE_CLAIMED);
        assert_int_equal(claim_at(writer, "bob@dest.example", 4, START_MS),
                         had == 1 ? TABLE_TOO_EARLY : TABLE_CLAIMED);
        assert_int_equal(claim_at(writer, "eve@dest.example", 4, START_MS + 50000), TABLE_CLAIMED);
        table_close(&writer);
        remove_table();
    }
}

static void let_time_pass(void *arg)
{
    int64_t end_ms = clock_boot_ms() + 3;

    (void)arg;
    while (clock_boot_ms() < end_ms)
        ;
}

/* A predecessor answers until the new table is there, and recovering takes its time. */
static void what_is_not_known_ends_when_the_table_is_made(void **state)
{
    struct recovery recovery = {.meanwhile = let_time_pass};
    struct table *writer;

    (void)state;
    leave_table();
    remove_table();
    writer = open_recovering(TABLE_WRITER, &recovery);
    assert_int_equal(claim_at(writer, "eve@dest.example", 4, START_MS + 35001), TABLE_TOO_EARLY);
    table_close(&writer);
}

static void a_damaged_table_is_set_aside_and_made_anew(void **state)
{
    static const char size[] = "\1\2\3\4\5\6\7\7";
    static const struct {
        off_t offset;
        const char *bytes;
        off_t len; /* of the file after it; 0: as it was */
    } damages[] = {{0, "GARBAGE!", 0}, {16, size, 0},         {16, "\0\0\0\0\0\0\0\0", 0},
                   {16, size, 5000},   {0, "PEGTABLE", 4095}, {0, "PEGTABLE", 5000},
                   {0, "PEGTABLE", 8}, {0, "PEGTABLE", -1}};

    (void)state;
    for (size_t n = 0; n < 2 * LENGTH(damages); n++) {
        struct recovery recovery = {.keys = {"zoe@dest.example"}};
        struct table *table;

        leave_table();
        overwrite(path, damages[n / 2].offset, damages[n / 2].bytes, 8);
        if (damages[n / 2].len != 0)
            assert_int_equal(truncate(path, damages[n / 2].len > 0 ? damages[n / 2].len : 0), 0);
        table = open_recovering(makers[n % 2], &recovery);
        assert_int_equal(recovery.calls, 1);
        assert_priority(table, "bob@dest.example", NONE);
        assert_priority(table, "zoe@dest.example", 4);
        table_close(&table);
        remove_aside();
        /* It may have answered until now. */
        table = open_recovering(TABLE_WRITER, &recovery);
        assert_int_equal(claim_at(table, "eve@dest.example", 4, START_MS), TABLE_TOO_EARLY);
        table_close(&table);
        remove_table();
    }
}

static void the_damaged_table_is_what_is_set_aside(void **state)
{
    struct recovery recovery = {0};
    struct table *table;
    struct stat damaged, aside;
    char file[160];

    (void)state;
    for (int n = 0; n < 2; n++) { /* one is kept, the last */
        leave_table();
        overwrite(path, 0, "GARBAGE!", 8);
        assert_int_equal(stat(path, &damaged), 0);
        table = open_recovering(TABLE_WRITER, &recovery);
        assert_int_equal(stat(beside(".damaged", file), &aside), 0);
        assert_int_equal(aside.st_ino, damaged.st_ino);
        assert_int_equal(aside.st_size, damaged.st_size);
        table_close(&table);
        remove_table();
    }
    remove_aside();
}

static void tables_of_other_versions_and_boots_are_made_anew(void **state)
{
    static const struct {
        off_t offset;
        const char *bytes;
        bool is_of_this_boot;
    } others[] = {{8, "\115\0\0\0", true}, {12, "\115\0\0\0", true}, {40, "boot", false}};

    (void)state;
    for (size_t n = 0; n < 2 * LENGTH(others); n++) {
        struct recovery recovery = {.keys = {"zoe@dest.example"}};
        struct table *table;

        leave_table();
        overwrite(path, others[n / 2].offset, others[n / 2].bytes, 4);
        if (!others[n / 2].is_of_this_boot)
            overwrite(lock_path, 0, "boot", 4);
        table = open_recovering(makers[n % 2], &recovery);
        assert_int_equal(recovery.calls, 1);
        assert_priority(table, "bob@dest.example", NONE);
        assert_priority(table, "zoe@dest.example", 4);
        assert_false(is_beside(".damaged"));
        table_close(&table);
        table = open_recovering(TABLE_WRITER, &recovery);
        assert_int_equal(claim_at(table, "eve@dest.example", 4, START_MS),
                         others[n / 2].is_of_this_boot ? TABLE_TOO_EARLY : TABLE_CLAIMED);
        assert_int_equal(recovery.calls, 1);
        table_close(&table);
        remove_table();
    }
}

/* It may be a good one. */
static void a_table_that_cannot_be_read_is_not_replaced(void **state)
{
    struct recovery recovery = {0};
    char target[160];

    (void)state;
    assert_int_equal(mkdir(path, 0700), 0);
    for (enum table_role role = TABLE_WRITER; role <= TABLE_GUEST; role++)
        assert_not_opened(role, &recovery, path);
    assert_int_equal(rmdir(path), 0);

    leave_table();
    assert_int_equal(rename(path, beside(".target", target)), 0);
    assert_int_equal(symlink(target, path), 0);
    for (enum table_role role = TABLE_WRITER; role <= TABLE_GUEST; role++)
        assert_not_opened(role, &recovery, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(target), 0);
    assert_int_equal(recovery.calls, 0);
    assert_false(is_beside(".damaged"));
}

static void a_process_without_files_left_replaces_no_table(void **state)
{
    struct recovery recovery = {0};
    struct rlimit limit, low;
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct table *table[LENGTH(makers)];

    (void)state;
    assert_true(next >= 0);
    close(next);
    leave_table();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = (rlim_t)next + 1; /* for the lock */
    for (size_t n = 0; n < LENGTH(makers); n++) {
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
        table[n] = try_open(makers[n], CAPACITY, &recovery);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        assert_null(table[n]);
        assert_non_null(strstr(why, path));
    }
    assert_int_equal(recovery.calls, 0);
    table[0] = open_table(TABLE_READER);
    assert_priority(table[0], "bob@dest.example", 4);
    table_close(&table[0]);
}

static void what_a_killed_maker_left_is_no_hindrance(void **state)
{
    char file[160], other[160];
    int fd = open(beside(".other", other), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    struct stat status;

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    for (size_t n = 0; n < 2 * LENGTH(makers); n++) {
        struct recovery recovery = {.keys = {"zoe@dest.example"}};
        struct table *table;

        if (n < 2) {
            fd = open(beside(".new", file), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
            assert_int_equal(write(fd, "half a table", 12), 12);
            close(fd);
        } else {
            assert_int_equal(symlink(other, beside(".new", file)), 0);
        }
        table = open_recovering(makers[n % 2], &recovery);
        assert_priority(table, "zoe@dest.example", 4);
        assert_false(is_beside(".new"));
        table_close(&table);
        remove_table();
    }
    assert_int_equal(stat(other, &status), 0);
    assert_int_equal(status.st_size, 0);
    assert_int_equal(unlink(other), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(either_recovers_where_there_is_none),
        WITH_FOLDER(nobody_recovers_where_there_is_one),
        WITH_FOLDER(what_cannot_be_recovered_is_no_table),
        WITH_FOLDER(claims_that_were_recovered_count_as_used_now),
        WITH_FOLDER(doubts_end_with_two_clean_looks_into_the_queue),
        WITH_FOLDER(claims_without_room_are_doubts),
        WITH_FOLDER(what_a_predecessor_answered_is_not_known),
        WITH_FOLDER(what_is_not_known_ends_when_the_table_is_made),
        WITH_FOLDER(a_damaged_table_is_set_aside_and_made_anew),
        WITH_FOLDER(the_damaged_table_is_what_is_set_aside),
        WITH_FOLDER(tables_of_other_versions_and_boots_are_made_anew),
        WITH_FOLDER(a_table_that_cannot_be_read_is_not_replaced),
        WITH_FOLDER(a_process_without_files_left_replaces_no_table),
        WITH_FOLDER(what_a_killed_maker_left_is_no_hindrance),
    };

    return cmocka_run_group_tests_name("table making", tests, NULL, NULL);
}
