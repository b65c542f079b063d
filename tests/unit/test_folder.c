/* test_folder - the store's files: their names and order, locks, and what cannot be read */
#include "store/folder.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/file.h>

#include "tests/unit/folder_fixture.h"

enum { NOBODY = 65534 };

static void paths_are_checked_for_length(void **state)
{
    char name[PATH_MAX];

    (void)state;
    assert_true(folder_path("/f", "name", path));
    assert_string_equal(path, "/f/name");
    assert_true(folder_segment_path("/f", 7, path));
    assert_string_equal(path, "/f/journal.0000000007");
    assert_true(folder_segment_path("/f", UINT64_MAX, path));
    assert_string_equal(path, "/f/journal.18446744073709551615");
    memset(name, 'x', sizeof name);
    name[PATH_MAX - 4] = '\0'; /* with 3 bytes before it this just fits */
    assert_true(folder_path("/f", name, path));
    assert_int_equal(strlen(path), PATH_MAX - 1);
    errno = 0;
    assert_false(folder_path("/ff", name, path));
    assert_int_equal(errno, ENAMETOOLONG);
    assert_false(folder_segment_path(name, 7, path));
}

static void segments_are_known_by_their_names_and_in_order(void **state)
{
    static const char *const files[] = {
        "journal.0000000010",
        "journal.12345678901",
        "journal.0000000009",
        "journal.0000000002",
        /* None of these: */
        "journal.0000000000",
        "journal.3",
        "journal.00000000004",
        "journal.0000000005.damaged-2026-11-22T19:04:43.123Z",
        "journal.000000000x",
        "journal.-000000001",
        "journal.+000000006",
        "journal. 000000007",
        "journal.99999999999999999999",
        "journal.18446744073709551615", /* none could come after it */
        "journal.",
        "xjournal.0000000008",
        FOLDER_SNAPSHOT,
    };
    static const uint64_t expected[] = {2, 9, 10, UINT64_C(12345678901)};
    uint64_t *numbers;
    size_t count;

    (void)state;
    assert_true(folder_segments(folder, &numbers, &count));
    assert_int_equal(count, 0);
    free(numbers);
    for (size_t n = 0; n < LENGTH(files); n++)
        make_file(files[n], "");
    assert_true(folder_segments(folder, &numbers, &count));
    assert_int_equal(count, LENGTH(expected));
    assert_memory_equal(numbers, expected, sizeof expected);
    free(numbers);
    errno = 0;
    assert_false(folder_segments("/nonexistent", &numbers, &count));
    assert_int_equal(errno, ENOENT);
}

static void many_segments_are_in_order(void **state)
{
    enum { COUNT = 100 };
    uint64_t *numbers;
    size_t count;

    (void)state;
    for (unsigned n = 0; n < COUNT; n++) {
        char name[32];

        snprintf(name, sizeof name, "journal.%010u", n * 37 % COUNT + 1);
        make_file(name, "");
    }
    assert_true(folder_segments(folder, &numbers, &count));
    assert_int_equal(count, COUNT);
    for (unsigned n = 0; n < COUNT; n++)
        assert_int_equal(numbers[n], n + 1);
    free(numbers);
}

static bool could_lock(int how)
{
    int fd = open(folder, O_RDONLY | O_CLOEXEC);
    bool could = flock(fd, how | LOCK_NB) == 0;

    close(fd);
    return could;
}

static int lock(enum folder_lock how)
{
    int fd = folder_lock(folder, how, why);

    if (fd < 0)
        fail_msg("%s", why);
    return fd;
}

static void locks_exclude_each_other(void **state)
{
    int first = lock(FOLDER_SHARED), second = lock(FOLDER_SHARED);

    (void)state;
    assert_true(could_lock(LOCK_SH));
    close(first);
    assert_false(could_lock(LOCK_EX));
    close(second);
    first = lock(FOLDER_EXCLUSIVE);
    assert_false(could_lock(LOCK_SH));
    close(first);
    assert_true(could_lock(LOCK_EX));
    assert_int_equal(folder_lock("/nonexistent", FOLDER_SHARED, why), -1);
    assert_non_null(strstr(why, "/nonexistent"));
}

static atomic_bool is_given_back;

static void *wait_for_the_lock(void *arg)
{
    int fd = folder_lock(folder, FOLDER_EXCLUSIVE, why);
    bool was_given_back = atomic_load(&is_given_back);

    close(fd);
    *(bool *)arg = fd >= 0 && was_given_back;
    return NULL;
}

static void a_lock_is_waited_for(void **state)
{
    int fd = lock(FOLDER_SHARED);
    bool good = false;
    pthread_t thread;

    (void)state;
    atomic_store(&is_given_back, false);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_the_lock, &good), 0);
    atomic_store(&is_given_back, true);
    close(fd);
    pthread_join(thread, NULL);
    assert_true(good);
}

static void a_usable_folder_is_usable(void **state)
{
    (void)state;
    assert_true(folder_is_usable(folder, why));
    make_file(FOLDER_SNAPSHOT, "cdb");
    make_file("journal.0000000001", "");
    assert_true(folder_is_usable(folder, why));
    assert_false(folder_is_usable("/nonexistent", why));
    assert_non_null(strstr(why, "/nonexistent"));
}

static void what_is_no_file_cannot_be_read(void **state)
{
    (void)state;
    make_file("journal.0000000001", "");
    assert_true(folder_segment_path(folder, 2, path));
    assert_int_equal(mkdir(path, 0700), 0);
    assert_false(folder_is_usable(folder, why));
    assert_non_null(strstr(why, "journal.0000000002"));
    assert_int_equal(rmdir(path), 0);
    assert_true(folder_is_usable(folder, why));
    assert_true(folder_path(folder, FOLDER_SNAPSHOT, path));
    assert_int_equal(symlink("journal.0000000001", path), 0);
    assert_false(folder_is_usable(folder, why));
    assert_non_null(strstr(why, FOLDER_SNAPSHOT));
}

/* What folder_is_usable() says to a user who is not root. */
static bool is_usable_for_a_user(void)
{
    bool is_usable;

    if (geteuid() != 0)
        return folder_is_usable(folder, why);
    assert_int_equal(chown(folder, NOBODY, NOBODY), 0);
    assert_int_equal(seteuid(NOBODY), 0);
    is_usable = folder_is_usable(folder, why);
    assert_int_equal(seteuid(0), 0);
    return is_usable;
}

static void what_may_not_be_read_or_made_is_named(void **state)
{
    (void)state;
    assert_true(is_usable_for_a_user());
    assert_int_equal(chmod(folder, 0500), 0);
    assert_false(is_usable_for_a_user());
    assert_non_null(strstr(why, folder));
    assert_int_equal(chmod(folder, 0300), 0);
    assert_false(is_usable_for_a_user());
    assert_int_equal(chmod(folder, 0700), 0);
    make_file("journal.0000000003", "");
    assert_int_equal(chmod(path, 0), 0);
    assert_false(is_usable_for_a_user());
    assert_non_null(strstr(why, "journal.0000000003"));
}

static void a_folder_is_synced(void **state)
{
    (void)state;
    assert_true(folder_sync(folder));
    errno = 0;
    assert_false(folder_sync("/nonexistent"));
    assert_int_equal(errno, ENOENT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_checked_for_length),
        cmocka_unit_test_setup_teardown(segments_are_known_by_their_names_and_in_order, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(many_segments_are_in_order, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(locks_exclude_each_other, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_lock_is_waited_for, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_usable_folder_is_usable, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(what_is_no_file_cannot_be_read, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(what_may_not_be_read_or_made_is_named, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_folder_is_synced, make_folder, remove_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
