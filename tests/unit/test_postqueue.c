/* test_postqueue - where Postfix's program is found, and which group may use it */
#include "admin/postqueue.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static char folder[64], program[128], public[128], saved_path[4 * PATH_MAX];

static void the_program_is_searched_in_the_whole_path(void **state)
{
    static const struct {
        const char *before;
        const char *after;
    } cases[] = {{"", ""}, {"/nonexistent:", ""}, {"relative:.:", ":/usr/bin"}, {"::", ":"}};
    char path[256], found[PATH_MAX];
    int here = open(".", O_PATH | O_DIRECTORY);

    (void)state;
    assert_int_equal(chdir(folder), 0); /* where `.` would find it */
    for (size_t i = 0; i < LENGTH(cases); i++) {
        snprintf(path, sizeof path, "%s%s%s", cases[i].before, folder, cases[i].after);
        assert_int_equal(setenv("PATH", path, 1), 0);
        assert_true(postqueue_find(found));
        assert_string_equal(found, program);
    }
    assert_int_equal(fchdir(here), 0);
    close(here);
}

static void what_is_no_program_is_passed_over(void **state)
{
    char wrong[160], path[256], found[PATH_MAX];
    FILE *file;

    (void)state;
    snprintf(wrong, sizeof wrong, "%s/postqueue", public);
    assert_int_equal(mkdir(public, 0755), 0);
    assert_int_equal(mkdir(wrong, 0755), 0); /* a folder of that name */
    snprintf(path, sizeof path, "%s:%s", public, folder);
    assert_int_equal(setenv("PATH", path, 1), 0);
    assert_true(postqueue_find(found));
    assert_string_equal(found, program);
    assert_int_equal(rmdir(wrong), 0);
    assert_non_null(file = fopen(wrong, "w")); /* a file that is not executable */
    assert_int_equal(fclose(file), 0);
    assert_true(postqueue_find(found));
    assert_string_equal(found, program);
    assert_int_equal(unlink(wrong), 0);
    assert_int_equal(rmdir(public), 0);
}

static void without_a_path_it_is_in_usr_sbin(void **state)
{
    char found[PATH_MAX];
    bool is_there = access("/usr/sbin/postqueue", X_OK) == 0;

    (void)state;
    assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
    assert_int_equal(postqueue_find(found), is_there);
    assert_int_equal(unsetenv("PATH"), 0);
    assert_int_equal(postqueue_find(found), is_there);
    if (is_there)
        assert_string_equal(found, "/usr/sbin/postqueue");
}

static const struct group *any_group(void)
{
    const struct group *group;

    setgrent();
    while ((group = getgrent()) != NULL && group->gr_gid == 0)
        ;
    endgrent();
    assert_non_null(group);
    return group;
}

static void expect_group(const char *expected)
{
    char name[POSTQUEUE_GROUP_SIZE] = "";

    assert_int_equal(postqueue_group(folder, name), expected != NULL);
    if (expected != NULL)
        assert_string_equal(name, expected);
}

static void the_group_is_that_of_the_public_folder_or_else_of_the_program(void **state)
{
    const struct group *group;
    char name[POSTQUEUE_GROUP_SIZE];

    (void)state;
    if (geteuid() != 0)
        skip();
    group = any_group();
    snprintf(name, sizeof name, "%s", group->gr_name);
    expect_group(NULL);
    assert_int_equal(chown(program, 0, group->gr_gid), 0);
    expect_group(NULL); /* it gives that group to nobody */
    assert_int_equal(chmod(program, 02755), 0);
    expect_group(name);
    assert_int_equal(mkdir(public, 0710), 0);
    expect_group(name); /* root's group is none to be in */
    assert_int_equal(chown(program, 0, 0), 0);
    assert_int_equal(chmod(program, 02755), 0);
    expect_group(NULL);
    assert_int_equal(chown(public, 0, group->gr_gid), 0);
    expect_group(name);
    assert_int_equal(rmdir(public), 0);
}

static int make_folder(void **state)
{
    FILE *file;

    (void)state;
    strcpy(folder, "/tmp/pegpostqueueXXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(program, sizeof program, "%s/postqueue", folder);
    snprintf(public, sizeof public, "%s/public", folder);
    snprintf(saved_path, sizeof saved_path, "%s", getenv("PATH"));
    if ((file = fopen(program, "w")) == NULL || fclose(file) != 0 || chmod(program, 0755) != 0)
        return -1;
    return setenv("PATH", folder, 1);
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(program);
    return setenv("PATH", saved_path, 1) != 0 ? -1 : rmdir(folder);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(the_program_is_searched_in_the_whole_path),
        IN_FOLDER(what_is_no_program_is_passed_over),
        IN_FOLDER(without_a_path_it_is_in_usr_sbin),
        IN_FOLDER(the_group_is_that_of_the_public_folder_or_else_of_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
