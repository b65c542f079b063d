/* test_tallies - what is read of table, store and bounces, whatever of them is there */
#include "metrics/tallies.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "tests/unit/queues_fixture.h"
#include "tests/unit/settings_of.h"

#define STORE "var/lib/priority-email-gateway"
#define BOUNCES "var/lib/priority-email-gateway-bounce"
#define TABLE_DIR "run/priority-email-gateway"

static struct tallies take_with(const char *root, const char *lines)
{
    struct settings *settings = settings_of(root, lines);
    struct tallies tallies;

    tallies_take(settings, &tallies);
    settings_free(&settings);
    return tallies;
}

static struct tallies take(const char *root)
{
    return take_with(root, "PRIORITY_COUNT=3\nINSTANCE_NEXTHOP[1]=\"[192.0.2.1]:25\"\n");
}

static void write_file(const char *root, const char *below, const char *text)
{
    char path[PATH_SIZE];
    int fd;

    path_in(root, below, path);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && file_write(fd, text, strlen(text)));
    close(fd);
}

static struct table *make_table(const char *root, size_t capacity)
{
    char path[PATH_SIZE], lock_path[PATH_SIZE], why[TABLE_WHY_SIZE];
    const struct table_config config = {.path = path, .lock_path = lock_path, .capacity = capacity};
    struct table *table;

    make_folder(root, TABLE_DIR);
    path_in(root, TABLE_DIR "/decisions", path);
    path_in(root, TABLE_DIR "/lock", lock_path);
    table = table_open(&config, TABLE_WRITER, clock_boot_ms(), why);
    assert_non_null(table);
    return table;
}

static void where_nothing_is_nothing_is_known_but_that_there_were_no_bounces(void **state)
{
    struct tallies tallies = take(*state);

    assert_false(tallies.has_table);
    assert_false(tallies.has_store);
    assert_true(tallies_bounces(&tallies, PEG_FRONTEND)->is_known);
    assert_int_equal(tallies_bounces(&tallies, PEG_FRONTEND)->counts.bounces, 0);
    assert_false(tallies_bounces(&tallies, PEG_URGENT)->is_known); /* there is none */
    assert_true(tallies_bounces(&tallies, 2)->is_known);
    assert_false(tallies_bounces(&tallies, 1)->is_known); /* on another host */
}

static void the_table_is_read_and_one_that_takes_its_place_as_well(void **state)
{
    const char *root = *state;
    struct table *table = make_table(root, 1000);
    struct tallies tallies;
    char path[PATH_SIZE];

    table_count(table, TABLE_COUNT_PLAIN, 5);
    tallies = take(root);
    assert_true(tallies.has_table);
    assert_int_equal(tallies.table.capacity, 1000);
    assert_int_equal(tallies.table.claims, 0);
    assert_false(tallies.is_unsure);
    assert_int_equal(tallies.counters[TABLE_COUNT_PLAIN], 5);
    assert_int_equal(table_claim(table, "a@b", 3, 1, 60000, clock_boot_ms()), TABLE_CLAIMED);
    tallies = take(root);
    assert_int_equal(tallies.table.claims, 1);
    assert_int_equal(tallies.counters[TABLE_COUNT_CLAIMS], 1);
    table_close(&table);
    path_in(root, TABLE_DIR "/decisions", path);
    assert_int_equal(unlink(path), 0);
    tallies = take(root);
    assert_false(tallies.has_table);
    table = make_table(root, 2000);
    tallies = take(root);
    assert_int_equal(tallies.table.capacity, 2000);
    table_close(&table);
}

static void a_damaged_table_is_none_and_stays_as_it_is(void **state)
{
    const char *root = *state;
    char path[PATH_SIZE];
    struct stat status;

    make_folder(root, TABLE_DIR);
    write_file(root, TABLE_DIR "/decisions", "nonsense");
    assert_false(take(root).has_table);
    path_in(root, TABLE_DIR "/decisions", path);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 8);
}

static void the_files_of_the_store_are_measured(void **state)
{
    const char *root = *state;
    struct tallies tallies;

    make_folder(root, STORE);
    tallies = take(root);
    assert_true(tallies.has_store);
    assert_int_equal(tallies.store.journal_segments, 0);
    assert_int_equal(tallies.store.journal_bytes, 0);
    assert_int_equal(tallies.store.snapshot_bytes, 0);
    assert_int_equal(tallies.store.snapshot_ms, 0);
    assert_true(tallies.store.available_bytes > 0);
    make_file(root, STORE "/incomplete"); /* neither journal nor snapshot */
    write_file(root, STORE "/journal.0000000007", "12345");
    write_file(root, STORE "/journal.0000000008", "123");
    write_file(root, STORE "/decisions.cdb", "1234567");
    write_file(root, STORE "/decisions.cdb.damaged-2026-11-22T19:04:43.123Z", "1");
    tallies = take(root);
    assert_int_equal(tallies.store.journal_segments, 2);
    assert_int_equal(tallies.store.journal_bytes, 8);
    assert_int_equal(tallies.store.snapshot_bytes, 7);
    assert_in_range(tallies.store.snapshot_ms, clock_wall_ms() - 60000, clock_wall_ms() + 60000);
}

static void bounces_are_those_of_each_postfix_of_this_host(void **state)
{
    const char *root = *state;
    struct tallies tallies;

    make_folder(root, BOUNCES "/postfix-frontend");
    make_folder(root, BOUNCES "/postfix0");
    make_folder(root, BOUNCES "/postfix2");
    write_file(root, BOUNCES "/postfix-frontend/counts", "bounces 3\nfailures 1\n");
    write_file(root, BOUNCES "/postfix2/counts", "damaged");
    tallies = take(root);
    assert_int_equal(tallies_bounces(&tallies, PEG_FRONTEND)->counts.bounces, 3);
    assert_int_equal(tallies_bounces(&tallies, PEG_FRONTEND)->counts.failures, 1);
    assert_true(tallies_bounces(&tallies, 0)->is_known); /* a state without counts */
    assert_int_equal(tallies_bounces(&tallies, 0)->counts.bounces, 0);
    assert_false(tallies_bounces(&tallies, 2)->is_known);
}

static void bounces_of_the_urgent_frontend_are_its_own(void **state)
{
    const char *root = *state;
    struct tallies tallies;

    make_folder(root, BOUNCES "/postfix-urgent");
    write_file(root, BOUNCES "/postfix-urgent/counts", "bounces 4\n");
    tallies = take_with(root, "PRIORITY_COUNT=2\nURGENT_LISTEN=2525\n");
    assert_int_equal(tallies_bounces(&tallies, PEG_URGENT)->counts.bounces, 4);
    assert_int_equal(tallies_bounces(&tallies, PEG_FRONTEND)->counts.bounces, 0);
    assert_true(tallies_bounces(&tallies, PEG_FRONTEND)->is_known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            where_nothing_is_nothing_is_known_but_that_there_were_no_bounces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_table_is_read_and_one_that_takes_its_place_as_well,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_table_is_none_and_stays_as_it_is, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_files_of_the_store_are_measured, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bounces_are_those_of_each_postfix_of_this_host, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(bounces_of_the_urgent_frontend_are_its_own, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
