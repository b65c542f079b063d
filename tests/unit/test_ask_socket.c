/* test_ask_socket - the folder of peg-monitor's socket, and what stands where the socket is to be
 */
#include "survey/ask_socket.h"

#include <grp.h>
#include <errno.h>
#include <pwd.h>
#include <sys/socket.h>

#include "tests/unit/queues_fixture.h"
#include "tests/unit/settings_of.h"

static void status_of(const char *root, const char *below, struct stat *status_r)
{
    char path[PATH_SIZE];

    path_in(root, below + 1, path);
    assert_int_equal(lstat(path, status_r), 0);
}

static void the_folder_and_the_socket_are_open_to_the_group_alone(void **state)
{
    struct settings *settings = settings_of(*state, "DAEMON_USER=nobody\nMONITORING_GROUP=mail\n");
    gid_t mail = getgrnam("mail")->gr_gid;
    struct stat status;
    char group[ASK_SOCKET_GROUP_SIZE];
    int fd;

    if (geteuid() != 0)
        skip();
    ask_socket_group(settings, group);
    assert_string_equal(group, "mail");
    assert_true(ask_socket_place(settings));
    status_of(*state, SETTINGS_MONITOR_DIR, &status);
    assert_int_equal(status.st_mode, S_IFDIR | 02750);
    assert_int_equal(status.st_uid, getpwnam("nobody")->pw_uid);
    assert_int_equal(status.st_gid, mail);
    fd = ask_socket_listen(settings);
    assert_true(fd >= 0);
    status_of(*state, SETTINGS_MONITOR_SOCKET, &status);
    assert_int_equal(status.st_mode, S_IFSOCK | 0660);
    assert_int_equal(status.st_gid, mail);
    close(fd);
    settings_free(&settings);
}

static void without_the_group_root_alone_may_enter(void **state)
{
    struct settings *settings =
        settings_of(*state, "DAEMON_USER=nobody\nMONITORING_GROUP=no-such-group\n");
    struct stat status;
    char group[ASK_SOCKET_GROUP_SIZE];

    assert_true(ask_socket_place(settings));
    status_of(*state, SETTINGS_MONITOR_DIR, &status);
    assert_int_equal(status.st_mode, S_IFDIR | 0700);
    ask_socket_group(settings, group);
    assert_string_equal(group, "no-such-group");
    settings_free(&settings);
}

static void another_group_is_put_in_the_place_of_the_old_one(void **state)
{
    struct settings *before = settings_of(*state, "DAEMON_USER=nobody\nMONITORING_GROUP=mail\n");
    struct settings *after = settings_of(*state, "DAEMON_USER=nobody\nMONITORING_GROUP=adm\n");
    struct stat status;

    if (geteuid() != 0)
        skip();
    assert_true(ask_socket_place(before));
    assert_true(ask_socket_place(after));
    status_of(*state, SETTINGS_MONITOR_DIR, &status);
    assert_int_equal(status.st_mode, S_IFDIR | 02750);
    assert_int_equal(status.st_gid, getgrnam("adm")->gr_gid);
    settings_free(&before);
    settings_free(&after);
}

static void what_a_killed_one_left_is_replaced(void **state)
{
    struct settings *settings = settings_of(*state, "DAEMON_USER=nobody\n");
    int fd, again, client;

    assert_true(ask_socket_place(settings));
    fd = ask_socket_listen(settings);
    assert_true(fd >= 0);
    close(fd);
    again = ask_socket_listen(settings);
    assert_true(again >= 0);
    client = ask_socket_connect(settings);
    assert_true(client >= 0);
    close(client);
    close(again);
    ask_socket_remove(settings);
    assert_int_equal(ask_socket_connect(settings), -1);
    assert_int_equal(errno, ENOENT);
    settings_free(&settings);
}

static void what_somebody_listens_on_is_left(void **state)
{
    struct settings *settings = settings_of(*state, "DAEMON_USER=nobody\n");
    int fd, client;

    assert_true(ask_socket_place(settings));
    fd = ask_socket_listen(settings);
    assert_int_equal(ask_socket_listen(settings), -1);
    while ((client = accept(fd, NULL, NULL)) >= 0) /* the one that found out */
        close(client);
    client = ask_socket_connect(settings);
    assert_true(client >= 0);
    close(client);
    close(fd);
    settings_free(&settings);
}

static void what_is_no_socket_is_left(void **state)
{
    static const char elsewhere[] = "elsewhere";
    struct settings *settings = settings_of(*state, "DAEMON_USER=nobody\n");
    char path[PATH_SIZE];
    struct stat status;

    assert_true(ask_socket_place(settings));
    make_file(*state, &SETTINGS_MONITOR_SOCKET[1]);
    assert_int_equal(ask_socket_listen(settings), -1);
    status_of(*state, SETTINGS_MONITOR_SOCKET, &status);
    assert_true(S_ISREG(status.st_mode));
    path_in(*state, &SETTINGS_MONITOR_SOCKET[1], path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(elsewhere, path), 0);
    assert_int_equal(ask_socket_listen(settings), -1);
    assert_true(faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
    settings_free(&settings);
}

static void a_path_that_is_too_long_for_a_socket_is_an_error(void **state)
{
    char root[PATH_SIZE], below[128];
    struct settings *settings;

    memset(below, 'x', sizeof below - 1);
    below[sizeof below - 1] = '\0';
    path_in(*state, below, root);
    settings = settings_of(root, "DAEMON_USER=nobody\n");
    assert_true(ask_socket_place(settings));
    assert_int_equal(ask_socket_listen(settings), -1);
    assert_int_equal(ask_socket_connect(settings), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    settings_free(&settings);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_folder_and_the_socket_are_open_to_the_group_alone),
        TEST(without_the_group_root_alone_may_enter),
        TEST(another_group_is_put_in_the_place_of_the_old_one),
        TEST(what_a_killed_one_left_is_replaced),
        TEST(what_somebody_listens_on_is_left),
        TEST(what_is_no_socket_is_left),
        TEST(a_path_that_is_too_long_for_a_socket_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
