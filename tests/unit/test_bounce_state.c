/* test_bounce_state - what processes of peg-bounce leave to each other, in a folder of its own */
#include "bounce/state.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "tests/unit/unit.h"

static char root[] = "/tmp/peg-test-state-XXXXXX";
static char dir[PATH_MAX];
static struct settings settings = {.root = root};
static struct state state;

static const char *path_of(const char *name)
{
    static char path[PATH_MAX + 32];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static int set_up(void **unused)
{
    static const char *const parts[] = {"/var", "/lib", "/priority-email-gateway-bounce",
                                        "/postfix4"};

    (void)unused;
    if (mkdtemp(root) == NULL)
        return 1;
    strcpy(dir, root);
    for (size_t i = 0; i < LENGTH(parts); i++)
        if (mkdir(strcat(dir, parts[i]), 0700) != 0)
            return 1;
    return 0;
}

static int tear_down(void **unused)
{
    static const char *const names[] = {"limit", "held-back", "waiter", COUNTS_FILE};

    (void)unused;
    for (size_t i = 0; i < LENGTH(names); i++)
        unlink(path_of(names[i]));
    for (size_t len = strlen(dir); len >= strlen(root); len = strlen(dir)) {
        rmdir(dir);
        *strrchr(dir, '/') = '\0';
    }
    return 0;
}

static void what_is_saved_is_there_again(void **unused)
{
    (void)unused;
    assert_true(state_open(&state, &settings, "postfix4"));
    assert_int_equal(state.limit.held_back, 0);
    state.limit.held_back = 17;
    call_limit_note(&state.limit, 1234);
    assert_true(state_save(&state));
    state_close(&state);
    assert_true(state_open(&state, &settings, "postfix4"));
    assert_int_equal(state.limit.held_back, 17);
    assert_int_equal(call_limit_wait_ms(&state.limit, 1, 1234), CALL_LIMIT_WINDOW_MS);
    state_close(&state);
}

static void while_it_is_open_nobody_else_has_it(void **unused)
{
    int fd;

    (void)unused;
    assert_true(state_open(&state, &settings, "postfix4"));
    fd = open(path_of("limit"), O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
    state_close(&state);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    close(fd);
}

static void the_last_notice_is_kept_and_taken_once(void **unused)
{
    size_t len = 0;
    char *notice;

    (void)unused;
    assert_true(state_open(&state, &settings, "postfix4"));
    state_keep_notice(&state, "first", 5);
    state_keep_notice(&state, "a\0b", 3);
    notice = state_take_notice(&state, 100, &len);
    assert_non_null(notice);
    assert_int_equal(len, 3);
    assert_memory_equal(notice, "a\0b", 3);
    free(notice);
    assert_null(state_take_notice(&state, 100, &len));
    state_keep_notice(&state, "too long", 8);
    assert_null(state_take_notice(&state, 7, &len));
    state_close(&state);
}

static void what_is_counted_stays_counted(void **unused)
{
    const struct counts bounce = {.bounces = 1}, failure = {.failures = 1};
    struct counts found;
    int dir_fd;

    (void)unused;
    assert_true(state_open(&state, &settings, "postfix4"));
    state_count(&state, &bounce);
    state_close(&state);
    state_count_closed(&settings, "postfix4", &failure);
    dir_fd = open(dir, O_PATH | O_DIRECTORY);
    assert_int_equal(counts_read(dir_fd, &found), 1);
    close(dir_fd);
    assert_int_equal(found.bounces, 1);
    assert_int_equal(found.failures, 1);
}

static void one_process_waits(void **unused)
{
    int first, second;

    (void)unused;
    assert_true(state_open(&state, &settings, "postfix4"));
    first = state_lock_waiter(&state);
    assert_true(first >= 0);
    assert_int_equal(state_lock_waiter(&state), -1);
    close(first);
    second = state_lock_waiter(&state);
    assert_true(second >= 0);
    close(second);
    state_close(&state);
}

static void nonsense_counts_as_nothing(void **unused)
{
    char junk[sizeof(struct call_limit)];

    (void)unused;
    memset(junk, 0xff, sizeof junk);
    for (size_t len = 1; len <= sizeof junk; len += sizeof junk - 1) {
        int fd = open(path_of("limit"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

        assert_true(fd >= 0 && file_write(fd, junk, len));
        close(fd);
        assert_true(state_open(&state, &settings, "postfix4"));
        assert_int_equal(state.limit.held_back, 0);
        assert_true(call_limit_is_sound(&state.limit));
        state_close(&state);
    }
}

static void without_the_folder_or_by_a_link_there_is_no_state(void **unused)
{
    (void)unused;
    assert_false(state_open(&state, &settings, "postfix3"));
    unlink(path_of("limit"));
    assert_int_equal(symlink("/dev/null", path_of("limit")), 0);
    assert_false(state_open(&state, &settings, "postfix4"));
    unlink(path_of("limit"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_saved_is_there_again),
        cmocka_unit_test(while_it_is_open_nobody_else_has_it),
        cmocka_unit_test(the_last_notice_is_kept_and_taken_once),
        cmocka_unit_test(what_is_counted_stays_counted),
        cmocka_unit_test(one_process_waits),
        cmocka_unit_test(nonsense_counts_as_nothing),
        cmocka_unit_test(without_the_folder_or_by_a_link_there_is_no_state),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
