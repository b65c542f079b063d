/* test_figures - the files of counts, and the folder that nobody else may choose */
#include "monitor/figures.h"

#include <dirent.h>
#include <errno.h>
#include <pwd.h>

#include "lib/file.h"
#include "lib/log.h"
#include "tests/unit/queues_fixture.h"
#include "tests/unit/settings_of.h"

enum { STRANGER = 12345 };

/* The user that the folder has to belong to. */
static uid_t owner(void)
{
    const struct passwd *account = getpwnam("nobody");

    assert_non_null(account);
    return geteuid() == 0 ? account->pw_uid : geteuid();
}

static int open_folder(const char *root, const char *monitoring_dir)
{
    char lines[PATH_SIZE], path[PATH_MAX];
    struct settings *settings;
    int fd;

    snprintf(lines, sizeof lines, "DAEMON_USER=nobody\nMONITORING_DIR=%s\n", monitoring_dir);
    settings = settings_of(root, lines);
    fd = figures_open(settings, path);
    settings_free(&settings);
    return fd;
}

/* It is refused, and the log says this. */
static void expect_refusal(const char *root, const char *monitoring_dir, const char *said)
{
    char path[PATH_SIZE];
    size_t len;

    path_in(root, "log", path);
    assert_true(log_open("peg-monitor", LOG_TO_FILE, path));
    assert_int_equal(open_folder(root, monitoring_dir), -1);
    close(log_descriptor());
    assert_true(log_open("peg-monitor", LOG_TO_STDERR, NULL));
    char *text = file_read(path, 10000, &len);

    assert_non_null(text);
    if (strstr(text, said) == NULL)
        fail_msg("%s does not say: %s", text, said);
    free(text);
    assert_int_equal(unlink(path), 0);
}

static int is_file_name(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* All that stands in the folder, sorted by name: `name=text`, blanks for newlines. */
static void expect_files(int dir_fd, const char *expected)
{
    char found[4096] = "";
    struct dirent **entries;
    int count = scandirat(dir_fd, ".", &entries, is_file_name, alphasort);

    assert_true(count >= 0);
    for (int i = 0; i < count; i++) {
        char text[32] = "";
        int fd = openat(dir_fd, entries[i]->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        size_t used = strlen(found);

        assert_true(read(fd, text, sizeof text - 1) > 0);
        text[strcspn(text, "\n")] = ' ';
        snprintf(found + used, sizeof found - used, "%s=%s", entries[i]->d_name, text);
        close(fd);
        free(entries[i]);
    }
    free(entries);
    assert_string_equal(found, expected);
}

static void each_count_has_a_file_with_the_names_of_old(void **state)
{
    const struct survey survey = {
        .instances =
            {{.instance = PEG_URGENT,
              .is_known = true,
              .queues = {{.messages = 5}, {.messages = 6}, {.messages = 7}, {.messages = 8}}},
             {.instance = PEG_FRONTEND,
              .is_known = true,
              .queues = {{.messages = 1}, {.messages = 2}, {.messages = 3}, {.messages = 4}}},
             {.instance = 0,
              .is_known = true,
              .queues = {[QUEUE_DEFERRED] = {.messages = 12345678901}}}},
        .instance_count = 3,
        .milter = {.state = SURVEY_UP}};
    int fd = open_folder(*state, "/figures");

    assert_true(fd >= 0);
    assert_true(figures_write(fd, &survey));
    expect_files(fd, "milterCount=1 "
                     "postfix-frontend-active=2 postfix-frontend-deferred=3 "
                     "postfix-frontend-hold=4 postfix-frontend-incoming=1 "
                     "postfix-urgent-active=6 postfix-urgent-deferred=7 "
                     "postfix-urgent-hold=8 postfix-urgent-incoming=5 "
                     "postfix0-active=0 postfix0-deferred=12345678901 postfix0-hold=0 "
                     "postfix0-incoming=0 qpsmtpdCount=1 ");
    figures_remove(fd);
    expect_files(fd, "");
    close(fd);
}

static void what_is_not_known_or_not_there_any_more_has_none(void **state)
{
    struct survey survey = {.instances = {{.instance = PEG_FRONTEND, .is_known = true},
                                          {.instance = 0, .is_known = true},
                                          {.instance = 63, .is_known = true},
                                          {.instance = PEG_URGENT, .is_known = true}},
                            .instance_count = 4,
                            .milter = {.state = SURVEY_DOWN}};
    int fd = open_folder(*state, "/figures");

    assert_true(fd >= 0);
    assert_true(figures_write(fd, &survey));
    assert_int_equal(faccessat(fd, "postfix63-hold", F_OK, 0), 0);
    assert_int_equal(faccessat(fd, "postfix-urgent-hold", F_OK, 0), 0);
    survey.instances[0].is_known = false;
    survey.instance_count = 2; /* PRIORITY_COUNT shrank, URGENT_LISTEN is empty */
    survey.milter.state = SURVEY_UNKNOWN;
    assert_true(figures_write(fd, &survey));
    expect_files(fd, "postfix0-active=0 postfix0-deferred=0 postfix0-hold=0 postfix0-incoming=0 ");
    close(fd);
}

static void one_that_cannot_be_written_is_an_error_and_the_others_are_written(void **state)
{
    const struct survey survey = {.instances = {{.instance = 0, .is_known = true}},
                                  .instance_count = 1,
                                  .milter = {.state = SURVEY_DOWN}};
    int fd = open_folder(*state, "/figures");

    assert_true(fd >= 0);
    assert_int_equal(mkdirat(fd, "postfix0-hold", 0755), 0);
    assert_false(figures_write(fd, &survey));
    assert_int_equal(errno, EISDIR);
    assert_int_equal(unlinkat(fd, "postfix0-hold", AT_REMOVEDIR), 0);
    expect_files(fd, "milterCount=0 postfix0-active=0 postfix0-deferred=0 postfix0-incoming=0 "
                     "qpsmtpdCount=0 ");
    close(fd);
}

static void the_folder_is_made_with_its_parents_whatever_the_umask(void **state)
{
    const char *root = *state;
    char path[PATH_SIZE];
    struct stat status;
    mode_t mask = umask(077);
    int fd = open_folder(root, "/a/b/figures");

    umask(mask);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_mode, S_IFDIR | 0755);
    assert_int_equal(status.st_uid, owner());
    path_in(root, "a/b", path);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode, S_IFDIR | 0755);
    assert_int_equal(status.st_uid, geteuid());
    close(fd);
    fd = open_folder(root, "/a/b/figures"); /* and there it is */
    assert_true(fd >= 0);
    close(fd);
}

static void links_are_not_followed_wherever_they_stand(void **state)
{
    const char *root = *state;
    char path[PATH_SIZE];

    make_folder(root, "elsewhere/figures");
    path_in(root, "figures", path);
    assert_int_equal(symlink("elsewhere", path), 0);
    expect_refusal(root, "/figures", "figures is a symbolic link: name the folder itself");
    expect_refusal(root, "/figures/figures", "figures is a symbolic link");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("nowhere", path), 0);
    expect_refusal(root, "/figures", "figures is a symbolic link");
    assert_int_equal(unlink(path), 0);
    path_in(root, "nowhere", path);
    assert_int_equal(access(path, F_OK), -1);
}

static void what_is_no_folder_is_named(void **state)
{
    make_file(*state, "figures");
    expect_refusal(*state, "/figures", "/figures is not a folder: remove it");
    expect_refusal(*state, "/figures/below", "/figures is not a folder: remove it");
}

static void a_folder_of_somebody_else_is_refused(void **state)
{
    const char *root = *state;
    char path[PATH_SIZE];
    struct stat status;

    if (geteuid() != 0)
        skip();
    make_folder(root, "figures");
    path_in(root, "figures", path);
    expect_refusal(root, "/figures", "belongs to somebody else than DAEMON_USER"); /* to root */
    assert_int_equal(chown(path, STRANGER, STRANGER), 0);
    expect_refusal(root, "/figures", "belongs to somebody else than DAEMON_USER");
    expect_refusal(root, "/figures/below", "belongs to another user than root and DAEMON_USER");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_uid, STRANGER);
    assert_int_equal(chown(path, owner(), owner()), 0);
    assert_int_equal(close(open_folder(root, "/figures")), 0);
}

static void a_folder_that_others_can_write_to_is_refused(void **state)
{
    const char *root = *state;
    char path[PATH_SIZE];

    make_folder(root, "figures");
    path_in(root, "figures", path);
    assert_int_equal(chown(path, owner(), (gid_t)-1), 0);
    assert_int_equal(chmod(path, 0775), 0);
    expect_refusal(root, "/figures", "can be written by others than DAEMON_USER");
    assert_int_equal(chmod(path, 0777), 0);
    expect_refusal(root, "/figures", "can be written by others than DAEMON_USER");
    expect_refusal(root, "/figures/below", "can be written by everybody");
    assert_int_equal(chmod(path, 01777), 0); /* as /tmp is */
    assert_int_equal(close(open_folder(root, "/figures/below")), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(each_count_has_a_file_with_the_names_of_old),
        TEST(what_is_not_known_or_not_there_any_more_has_none),
        TEST(one_that_cannot_be_written_is_an_error_and_the_others_are_written),
        TEST(the_folder_is_made_with_its_parents_whatever_the_umask),
        TEST(links_are_not_followed_wherever_they_stand),
        TEST(what_is_no_folder_is_named),
        TEST(a_folder_of_somebody_else_is_refused),
        TEST(a_folder_that_others_can_write_to_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
