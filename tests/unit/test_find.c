/* test_find - the latest record of a message, wherever it stands */
#include "store/find.h"

#include <sys/file.h>

#include "store/compact.h"
#include "tests/unit/store_fixture.h"

static const struct decision first = {"4A", {{"bob@dest.example", 4, RECORD_CLAIMED}}};
static const struct decision second = {"4A", {{"bob@dest.example", 2, RECORD_UNCLAIMED}}};
static const struct decision third = {
    "4A", {{"bob@dest.example", 1, RECORD_CLAIMED}, {"eve@dest.example", 1, RECORD_SPARE}}};
static const struct decision other = {"4B", {{"bob@dest.example", 0, RECORD_CLAIMED}}};

/* The first recipient's priority; -1: no such message. */
static int find_priority(const char *queue_id)
{
    struct record_reader reader;
    struct record_recipient recipient;
    int found = find_message(folder, queue_id, &reader, why);

    if (found < 0)
        fail_msg("%s", why);
    if (found == 0)
        return -1;
    assert_string_equal(reader.queue_id, queue_id);
    assert_int_equal(reader.wall_ms, wall_ms);
    assert_int_equal(record_next(&reader, &recipient), 1);
    assert_string_equal(recipient.key, "bob@dest.example");
    record_reader_free(&reader);
    return recipient.priority;
}

static void compact_all(void)
{
    const struct compact_config config = {
        .folder = folder, .segments = COMPACT_ALL, .wall_ms = wall_ms};
    struct compact_result result;

    assert_true(compact(&config, &result, why));
}

static void the_latest_is_found(void **state)
{
    (void)state;
    assert_int_equal(find_priority("4A"), -1);
    PUT_SEGMENT(1, first, other);
    assert_int_equal(find_priority("4A"), 4);
    assert_int_equal(find_priority("4B"), 0);
    compact_all();
    assert_int_equal(find_priority("4A"), 4);
    assert_int_equal(find_priority("4B"), 0);
    PUT_SEGMENT(1, second, other);
    assert_int_equal(find_priority("4A"), 2);
    PUT_SEGMENT(2, first, third, other);
    assert_int_equal(find_priority("4A"), 1);
    assert_int_equal(find_priority("4"), -1);
    assert_int_equal(find_priority("bob@dest.example"), -1);
}

static void the_folder_is_unlocked_again(void **state)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    (void)state;
    assert_int_equal(find_priority("4A"), -1);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    close(fd);
}

static void count_4a(void *arg, struct record_reader *reader)
{
    *(int *)arg += strcmp(reader->queue_id, "4A") == 0 ? 1 : 100;
}

static void all_are_found(void **state)
{
    int count = 0;

    (void)state;
    assert_true(find_all(folder, count_4a, &count, why));
    assert_int_equal(count, 0);
    PUT_SEGMENT(1, first, other);
    compact_all();
    PUT_SEGMENT(1, second, other);
    PUT_SEGMENT(2, first);
    assert_true(find_all(folder, count_4a, &count, why));
    assert_int_equal(count, 203);
}

static void what_is_not_whole_is_passed_over(void **state)
{
    unsigned char *bytes;
    size_t len;

    (void)state;
    PUT_SEGMENT(1, first);
    compact_all();
    PUT_SEGMENT(1, second, third);
    bytes = get_file("journal.0000000001", &len);
    put_file("journal.0000000001", bytes, len - 1); /* being written to */
    assert_int_equal(find_priority("4A"), 2);
    bytes[20] ^= 1;
    put_file("journal.0000000001", bytes, len - 1);
    free(bytes);
    assert_int_equal(find_priority("4A"), 4);
    bytes = get_file(FOLDER_SNAPSHOT, &len);
    bytes[3] ^= 0x40; /* where cdb's index begins */
    put_file(FOLDER_SNAPSHOT, bytes, len);
    free(bytes);
    assert_int_equal(find_priority("4A"), 4);
    put_file(FOLDER_SNAPSHOT, "no snapshot", 11);
    assert_int_equal(find_priority("4A"), -1);
    assert_names("decisions.cdb journal.0000000001 "); /* looking changes nothing */
    assert_int_equal(logged("\n"), 0);
}

static void what_cannot_be_read_is_an_error(void **state)
{
    struct record_reader reader;
    char path[PATH_MAX];
    int count = 0;

    (void)state;
    PUT_SEGMENT(1, first);
    assert_int_equal(symlink("elsewhere", path_of(FOLDER_SNAPSHOT, path)), 0);
    assert_int_equal(find_message(folder, "4A", &reader, why), -1);
    assert_non_null(strstr(why, FOLDER_SNAPSHOT));
    assert_false(find_all(folder, count_4a, &count, why));
    assert_int_equal(count, 0);
    assert_int_equal(find_message("/nonexistent/folder", "4A", &reader, why), -1);
    assert_non_null(strstr(why, "/nonexistent/folder"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(the_latest_is_found),
        WITH_FOLDER(all_are_found),
        WITH_FOLDER(the_folder_is_unlocked_again),
        WITH_FOLDER(what_is_not_whole_is_passed_over),
        WITH_FOLDER(what_cannot_be_read_is_an_error),
    };

    return cmocka_run_group_tests_name("find", tests, NULL, NULL);
}
