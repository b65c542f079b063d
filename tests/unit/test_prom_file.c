/* test_prom_file - peg.prom is whole and new, or not there */
#include "metrics/prom_file.h"

#include <errno.h>

#include "lib/file.h"
#include "tests/unit/queues_fixture.h"
#include "tests/unit/settings_of.h"

static struct survey survey;
static struct tallies tallies;

static bool write_prom(int dir_fd)
{
    struct settings *settings = settings_of("", "");
    const struct prom_view view = {settings, &survey, &tallies, 0};
    bool done = prom_file_write(dir_fd, &view);
    int error = errno;

    settings_free(&settings);
    errno = error;
    return done;
}

static int open_root(const char *root)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static void it_takes_the_place_of_the_last_one_or_of_a_link(void **state)
{
    char path[PATH_SIZE], victim[PATH_SIZE];
    int dir_fd = open_root(*state);
    struct stat status;
    size_t len;
    char *text;

    path_in(*state, PROM_FILE, path);
    path_in(*state, "victim", victim);
    make_file(*state, "victim");
    assert_int_equal(symlink(victim, path), 0);
    for (int round = 0; round < 2; round++)
        assert_true(write_prom(dir_fd));
    assert_int_equal(lstat(path, &status), 0);
    assert_int_equal(status.st_mode, S_IFREG | 0644);
    assert_int_equal(stat(victim, &status), 0);
    assert_int_equal(status.st_size, 0);
    text = file_read(path, 100000, &len);
    assert_non_null(text);
    assert_string_equal(text + len - strlen("\n# EOF\n"), "\n# EOF\n");
    free(text);
    prom_file_remove(dir_fd);
    assert_int_equal(lstat(path, &status), -1);
    close(dir_fd);
}

static void where_it_cannot_be_written_the_old_one_goes(void **state)
{
    int dir_fd = open_root(*state);
    char in_the_way[PATH_SIZE], path[PATH_SIZE];

    assert_true(write_prom(dir_fd));
    make_folder(*state, "." PROM_FILE ".new"); /* of the temporary file */
    path_in(*state, "." PROM_FILE ".new", in_the_way);
    path_in(*state, PROM_FILE, path);
    assert_false(write_prom(dir_fd));
    assert_int_equal(errno, EEXIST);
    assert_int_equal(access(path, F_OK), -1);
    close(dir_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_takes_the_place_of_the_last_one_or_of_a_link, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(where_it_cannot_be_written_the_old_one_goes, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
