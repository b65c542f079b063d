/* test_counts - bounces that are counted, whatever stood in the file before */
#include "bounce/counts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "tests/unit/unit.h"

static char dir[] = "/tmp/peg-test-counts-XXXXXX";
static int dir_fd;

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(dir) == NULL)
        return 1;
    dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return dir_fd < 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlinkat(dir_fd, COUNTS_FILE, 0);
    close(dir_fd);
    return rmdir(dir);
}

static int clear(void **state)
{
    (void)state;
    unlinkat(dir_fd, COUNTS_FILE, 0);
    return 0;
}

static void write_counts(const char *text)
{
    assert_true(file_replace_at(dir_fd, COUNTS_FILE, text, strlen(text), 0600));
}

static void expect_counts(uint64_t bounces, uint64_t held_back, uint64_t calls, uint64_t failures)
{
    struct counts counts;

    assert_int_equal(counts_read(dir_fd, &counts), 1);
    assert_int_equal(counts.bounces, bounces);
    assert_int_equal(counts.held_back, held_back);
    assert_int_equal(counts.calls, calls);
    assert_int_equal(counts.failures, failures);
}

static void nothing_is_counted_at_first(void **state)
{
    struct counts counts;

    (void)state;
    assert_int_equal(counts_read(dir_fd, &counts), 0);
}

static void what_is_added_adds_up(void **state)
{
    const struct counts bounce = {.bounces = 1}, held = {.bounces = 1, .held_back = 1},
                        end = {.calls = 2, .failures = 3};
    struct stat status;

    (void)state;
    assert_true(counts_add(dir_fd, &bounce));
    assert_true(counts_add(dir_fd, &held));
    expect_counts(2, 1, 0, 0);
    assert_true(counts_add(dir_fd, &end));
    expect_counts(2, 1, 2, 3);
    assert_int_equal(fstatat(dir_fd, COUNTS_FILE, &status, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void the_largest_number_that_is_read_is_written_and_read_again(void **state)
{
    const struct counts none = {.bounces = 0};

    (void)state;
    write_counts("bounces 9999999999999999999\nheld_back 9999999999999999999\n"
                 "calls 9999999999999999999\nfailures 9999999999999999999\n");
    assert_true(counts_add(dir_fd, &none));
    expect_counts(9999999999999999999U, 9999999999999999999U, 9999999999999999999U,
                  9999999999999999999U);
}

static void lines_of_other_versions_do_not_matter(void **state)
{
    (void)state;
    write_counts("calls 5\nbounces_of_tuesday 3\nbounces 4\n");
    expect_counts(4, 0, 5, 0);
}

static void damage_is_told_and_counts_as_nothing(void **state)
{
    static const char *const texts[] = {"bounces",
                                        "bounces \n",
                                        "bounces 1",
                                        "bounces -1\n",
                                        "bounces 1 \n",
                                        "bounces 0x1\n",
                                        "bounces 10000000000000000000\n",
                                        "\n",
                                        "bounces 1\n\ncalls 1\n"};
    const struct counts bounce = {.bounces = 1};
    struct counts counts;

    (void)state;
    for (size_t i = 0; i < LENGTH(texts); i++) {
        write_counts(texts[i]);
        assert_int_equal(counts_read(dir_fd, &counts), -1);
        assert_int_equal(errno, EBADMSG);
        assert_true(counts_add(dir_fd, &bounce));
        expect_counts(1, 0, 0, 0);
    }
}

static void bytes_of_any_kind_are_no_counts(void **state)
{
    static const char zeros[300] = {0};
    struct counts counts;

    (void)state;
    assert_true(file_replace_at(dir_fd, COUNTS_FILE, zeros, sizeof zeros, 0600));
    assert_int_equal(counts_read(dir_fd, &counts), -1);
    assert_false(counts_parse("bounces 1\n\0", 11, &counts));
    assert_true(counts_parse("", 0, &counts));
    assert_int_equal(counts.bounces, 0);
}

static void a_link_a_pipe_or_a_folder_is_not_read(void **state)
{
    char path[sizeof dir + sizeof COUNTS_FILE];
    struct counts counts;

    (void)state;
    snprintf(path, sizeof path, "%s/" COUNTS_FILE, dir);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(counts_read(dir_fd, &counts), -1);
    assert_int_equal(errno, ELOOP);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(counts_read(dir_fd, &counts), -1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(counts_read(dir_fd, &counts), -1);
    assert_int_equal(rmdir(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_counted_at_first, clear),
        cmocka_unit_test_setup(what_is_added_adds_up, clear),
        cmocka_unit_test_setup(the_largest_number_that_is_read_is_written_and_read_again, clear),
        cmocka_unit_test_setup(lines_of_other_versions_do_not_matter, clear),
        cmocka_unit_test_setup(damage_is_told_and_counts_as_nothing, clear),
        cmocka_unit_test_setup(bytes_of_any_kind_are_no_counts, clear),
        cmocka_unit_test_setup(a_link_a_pipe_or_a_folder_is_not_read, clear),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
