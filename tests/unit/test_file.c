/* test_file - a file is replaced at once, whatever stood in its place */
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static char folder[64];
static int dir_fd;

static bool replace(const char *name, const char *text)
{
    return file_replace_at(dir_fd, name, text, strlen(text), 0644);
}

static void expect_text(const char *name, const char *expected)
{
    char path[PATH_MAX];
    size_t len;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *text = file_read(path, 1000, &len);

    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static void a_file_is_made_and_replaced_with_the_mode_that_is_asked_for(void **state)
{
    mode_t mask = umask(077);
    struct stat status;

    (void)state;
    assert_true(replace("count", "17\n"));
    expect_text("count", "17\n");
    assert_true(replace("count", "4\n"));
    expect_text("count", "4\n");
    umask(mask);
    assert_int_equal(fstatat(dir_fd, "count", &status, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(status.st_mode, S_IFREG | 0644);
}

static void who_has_it_open_keeps_what_was_there(void **state)
{
    char text[8] = "";
    int fd;

    (void)state;
    assert_true(replace("count", "17\n"));
    fd = openat(dir_fd, "count", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(replace("count", "4\n"));
    assert_int_equal(read(fd, text, sizeof text), 3);
    assert_string_equal(text, "17\n");
    close(fd);
}

static void links_of_its_names_are_replaced_and_not_followed(void **state)
{
    (void)state;
    assert_true(replace("victim", "mine\n"));
    assert_int_equal(symlinkat("victim", dir_fd, "count"), 0);
    assert_int_equal(symlinkat("victim", dir_fd, ".count.new"), 0);
    assert_true(replace("count", "17\n"));
    expect_text("victim", "mine\n");
    expect_text("count", "17\n");
}

static void where_it_cannot_be_done_the_old_one_and_nothing_else_is_left(void **state)
{
    char long_name[NAME_MAX + 1];

    (void)state;
    assert_int_equal(mkdirat(dir_fd, "count", 0755), 0);
    assert_false(replace("count", "17\n"));
    assert_int_equal(errno, EISDIR);
    assert_int_equal(faccessat(dir_fd, ".count.new", F_OK, 0), -1);
    assert_int_equal(unlinkat(dir_fd, "count", AT_REMOVEDIR), 0);
    memset(long_name, 'a', NAME_MAX);
    long_name[NAME_MAX] = '\0';
    assert_false(replace(long_name, "17\n"));
    assert_int_equal(errno, ENAMETOOLONG);
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/peg-file-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    dir_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return dir_fd >= 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    unlinkat(dir_fd, "count", 0);
    unlinkat(dir_fd, "victim", 0);
    close(dir_fd);
    return rmdir(folder);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_file_is_made_and_replaced_with_the_mode_that_is_asked_for),
        IN_FOLDER(who_has_it_open_keeps_what_was_there),
        IN_FOLDER(links_of_its_names_are_replaced_and_not_followed),
        IN_FOLDER(where_it_cannot_be_done_the_old_one_and_nothing_else_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
