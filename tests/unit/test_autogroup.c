/* test_autogroup - the nice level of a session: as it is written, and whose may be set */
#include "lib/autogroup.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

enum { UNTOUCHED = 99, MANY = 8 };

static char path[64];

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void the_level_is_read_from_what_the_kernel_writes(void **state)
{
    static const struct {
        const char *text;
        bool found;
        int level;
    } cases[] = {
        {"/autogroup-123 nice -2\n", true, -2},
        {"/autogroup-1 nice 0\n", true, 0},
        {"/autogroup-4294967295 nice 19\n", true, 19},
        {"", false, UNTOUCHED}, /* noautogroup */
        {"\n", false, UNTOUCHED},
        {"/autogroup-123 nice \n", false, UNTOUCHED},
        {"/autogroup-123 weight 5\n", false, UNTOUCHED},
        {"/autogroup- nice 5\n", false, UNTOUCHED},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        int level = UNTOUCHED;

        write_file(cases[i].text);
        if (autogroup_read(path, &level) != cases[i].found || level != cases[i].level)
            fail_msg("\"%s\": %d", cases[i].text, level);
    }
}

static void a_kernel_without_such_groups_has_no_level(void **state)
{
    int level = UNTOUCHED;

    (void)state;
    unlink(path);
    assert_false(autogroup_read(path, &level));
    assert_int_equal(level, UNTOUCHED);
    assert_false(autogroup_write(path, 3));
    assert_int_equal(errno, ENOENT);
    assert_int_equal(access(path, F_OK), -1);
}

static void the_level_is_written_as_the_kernel_reads_it(void **state)
{
    char text[16] = "";
    FILE *file;

    (void)state;
    write_file("");
    assert_true(autogroup_write(path, -2));
    file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    assert_string_equal(text, "-2\n");
}

static void what_hinders_is_told(void **state)
{
    (void)state;
    assert_false(autogroup_write("/dev/full", 3));
    assert_int_equal(errno, ENOSPC);
}

/* Without rights it may set its level once in 100 ms. Returns 0, or a letter for what fails. */
static int in_session_of_its_own(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
    int level;

    if (syscall(SYS_capset, &header, none) != 0)
        return 'c';
    if (setsid() < 0 || !autogroup_get(getpid(), &level) || level != 0)
        return 'n'; /* a kernel without such groups */
    for (int wanted = 1; wanted <= 4; wanted++)
        if (!autogroup_set(getpid(), wanted) || !autogroup_get(getpid(), &level) || level != wanted)
            return 's';
    return autogroup_set(getpid(), -1) || errno != EPERM ? 'r' : 0;
}

/* Whether a process that shares our session leaves its level alone. */
static int in_session_of_another(void)
{
    int before = UNTOUCHED;
    int after = UNTOUCHED;
    int level;

    (void)!autogroup_read("/proc/self/autogroup", &before);
    if (autogroup_get(getpid(), &level) || !autogroup_set(getpid(), before == 7 ? 8 : 7))
        return 'a';
    (void)!autogroup_read("/proc/self/autogroup", &after);
    return before == after ? 0 : 'c';
}

static int status_of(int (*run)(void))
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(run());
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_session_gets_the_level_that_its_leader_is_given(void **state)
{
    int status = status_of(in_session_of_its_own);

    (void)state;
    if (status == 'n')
        skip();
    assert_int_equal(status, 0);
}

static void many_at_once_take_turns(void **state)
{
    pid_t pids[MANY];
    unsigned refused = 0;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(in_session_of_its_own() == 's');
        assert_true(pids[i] > 0);
    }
    for (int i = 0; i < MANY; i++) {
        int status;

        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        refused += status != 0 ? 1 : 0;
    }
    assert_int_equal(refused, 0);
}

static void a_session_that_is_shared_is_left_alone(void **state)
{
    (void)state;
    assert_int_equal(status_of(in_session_of_another), 0);
}

static void a_process_that_is_gone_has_no_session(void **state)
{
    pid_t pid = fork();
    int level;

    (void)state;
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_false(autogroup_get(pid, &level));
    assert_true(autogroup_set(pid, 5));
}

static int make_path(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/peg-autogroup-%ld", (long)getpid());
    return 0;
}

static int remove_path(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_level_is_read_from_what_the_kernel_writes),
        cmocka_unit_test(a_kernel_without_such_groups_has_no_level),
        cmocka_unit_test(the_level_is_written_as_the_kernel_reads_it),
        cmocka_unit_test(what_hinders_is_told),
        cmocka_unit_test(a_session_gets_the_level_that_its_leader_is_given),
        cmocka_unit_test(many_at_once_take_turns),
        cmocka_unit_test(a_session_that_is_shared_is_left_alone),
        cmocka_unit_test(a_process_that_is_gone_has_no_session),
    };

    return cmocka_run_group_tests(tests, make_path, remove_path);
}
