/* test_folder_files - the store's files in memory, kept aside, and known to be incomplete */
#include "tests/unit/folder_fixture.h"

static void check_loading(int (*load)(const char *path, struct folder_file *file_r))
{
    struct folder_file file;
    char other[PATH_MAX];

    assert_true(folder_path(folder, "file", path));
    assert_int_equal(load(path, &file), 0);
    make_file("empty", "");
    assert_int_equal(load(path, &file), 1);
    assert_null(file.bytes);
    assert_int_equal(file.len, 0);
    folder_unmap(&file);
    make_file("file", "some bytes");
    assert_int_equal(load(path, &file), 1);
    assert_int_equal(file.len, 10);
    assert_memory_equal(file.bytes, "some bytes", 10);
    folder_unmap(&file);
    assert_null(file.bytes);
    folder_unmap(&file);
    assert_true(folder_path(folder, "link", other));
    assert_int_equal(symlink(path, other), 0);
    assert_int_equal(load(other, &file), -1);
    errno = 0;
    assert_int_equal(load(folder, &file), -1);
    assert_int_equal(errno, EINVAL);
}

static void files_are_mapped(void **state)
{
    (void)state;
    check_loading(folder_map);
}

static void files_are_copied(void **state)
{
    (void)state;
    check_loading(folder_copy);
}

/* As a mapped file would not: reading what is gone from it is a SIGBUS. */
static void a_copy_stays_when_the_file_goes(void **state)
{
    static const char tail[] = "the end";
    const size_t len = 10000;
    struct folder_file file;
    FILE *stream;

    (void)state;
    make_file("file", "begin");
    stream = fopen(path, "r+e");
    assert_non_null(stream);
    assert_int_equal(fseek(stream, (long)(len - strlen(tail)), SEEK_SET), 0);
    assert_true(fputs(tail, stream) >= 0);
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(folder_copy(path, &file), 1);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(file.len, len);
    assert_memory_equal(file.bytes, "begin", 6);
    assert_memory_equal(file.bytes + len - strlen(tail), tail, strlen(tail));
    folder_unmap(&file);
}

static void what_is_set_aside_never_replaces_a_file(void **state)
{
    static const char aside[] = "journal.0000000001.damaged-2026-11-22T19:04:43.123Z";
    const int64_t wall_ms = INT64_C(1795374283123);
    char second[80];

    (void)state;
    make_file("journal.0000000001", "first");
    folder_set_aside(folder, "journal.0000000001", wall_ms);
    assert_false(file_is("journal.0000000001", "first"));
    assert_true(file_is(aside, "first"));
    make_file("journal.0000000001", "second");
    folder_set_aside(folder, "journal.0000000001", wall_ms);
    assert_true(file_is(aside, "first"));
    snprintf(second, sizeof second, "%s-1", aside);
    assert_true(file_is(second, "second"));
    folder_set_aside(folder, "journal.0000000001", wall_ms); /* is gone: the log says so */
}

static void what_is_kept_aside_has_two_names(void **state)
{
    static const char *const names[] = {
        "decisions.cdb.damaged-2026-11-22T19:04:43.123Z",
        "decisions.cdb.damaged-2026-11-22T19:04:43.123Z-1",
        "decisions.cdb.damaged-2026-11-22T19:04:43.123Z-2",
    };
    const int64_t wall_ms = INT64_C(1795374283123);
    char aside[PATH_MAX], expected[PATH_MAX], name[PATH_MAX];

    (void)state;
    make_file(FOLDER_SNAPSHOT, "bytes");
    for (size_t n = 0; n < LENGTH(names); n++) {
        assert_true(folder_keep_aside(folder, FOLDER_SNAPSHOT, wall_ms, aside));
        assert_true(folder_path(folder, names[n], expected));
        assert_string_equal(aside, expected);
        assert_true(file_is(names[n], "bytes"));
    }
    assert_true(file_is(FOLDER_SNAPSHOT, "bytes"));
    errno = 0;
    assert_false(folder_keep_aside(folder, "none", wall_ms, aside));
    assert_int_equal(errno, ENOENT);
    memset(name, 'x', sizeof name);
    name[PATH_MAX - strlen(folder) - 20] = '\0'; /* fits, but for the suffix */
    assert_false(folder_keep_aside(folder, name, wall_ms, aside));
    assert_int_equal(errno, ENAMETOOLONG);
}

static void it_ends_after_so_many_names(void **state)
{
    const int64_t wall_ms = INT64_C(1795374283123);
    char aside[PATH_MAX];
    size_t count = 0;

    (void)state;
    make_file("file", "bytes");
    while (count < 1000 && folder_keep_aside(folder, "file", wall_ms, aside))
        count++;
    assert_int_equal(errno, EEXIST);
    assert_int_equal(count, 100);
    assert_non_null(strstr(aside, "Z-99"));
    folder_set_aside(folder, "file", wall_ms); /* stays: the log says so */
    assert_true(file_is("file", "bytes"));
}

static void a_folder_is_incomplete_until_it_is_said_to_be_complete(void **state)
{
    (void)state;
    assert_false(folder_is_incomplete(folder));
    assert_true(folder_set_incomplete(folder, false));
    for (int n = 0; n < 2; n++) { /* twice is as once */
        assert_true(folder_set_incomplete(folder, true));
        assert_true(folder_is_incomplete(folder));
    }
    assert_true(folder_is_usable(folder, why));
    assert_true(folder_set_incomplete(folder, false));
    assert_false(folder_is_incomplete(folder));
    assert_false(folder_set_incomplete("/nonexistent", true));
    assert_false(folder_set_incomplete("/nonexistent", false));
    assert_false(folder_is_incomplete("/nonexistent"));
    make_file("file", "");
    assert_true(folder_is_incomplete(path)); /* whatever cannot be seen may be so */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_are_mapped, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(files_are_copied, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_copy_stays_when_the_file_goes, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(what_is_set_aside_never_replaces_a_file, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(what_is_kept_aside_has_two_names, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(it_ends_after_so_many_names, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_folder_is_incomplete_until_it_is_said_to_be_complete,
                                        make_folder, remove_folder),
    };

    return cmocka_run_group_tests_name("folder_files", tests, NULL, NULL);
}
