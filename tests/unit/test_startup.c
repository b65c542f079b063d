/* test_startup - which changes of the configuration take a restart, and of which program */
#include "lib/startup.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log.h"
#include "tests/unit/settings_of.h"

static const char *const programs[] = {"peg-milter", "peg-tcpmap", "peg-monitor"};

static char root[64];

static void path_of(const char *program, const char *suffix, char path_r[PATH_MAX])
{
    snprintf(path_r, PATH_MAX, "%s" SETTINGS_RUN_DIR "/%s.%s", root, program, suffix);
}

static void note_all(const char *lines)
{
    struct settings *settings = settings_of(root, lines);

    for (size_t i = 0; i < LENGTH(programs); i++)
        startup_note(settings, programs[i]);
    settings_free(&settings);
}

static bool needs(const char *program, const char *lines)
{
    struct settings *settings = settings_of(root, lines);
    bool needed = startup_needs_restart(settings, program);

    settings_free(&settings);
    return needed;
}

static void the_same_settings_need_no_restart(void **state)
{
    static const char lines[] = "DAEMON_USER=nobody\nNICE_LEVEL_MILTER=-3\n"
                                "TCPMAP_LISTEN=\"[::1]:4711\"\nMONITORING_DIR=/tmp/figures\n";

    (void)state;
    note_all(lines);
    for (size_t i = 0; i < LENGTH(programs); i++)
        assert_false(needs(programs[i], lines));
}

static void each_parameter_restarts_the_programs_that_it_concerns(void **state)
{
    static const struct {
        const char *line;
        bool restarts[LENGTH(programs)];
    } cases[] = {
        {"DAEMON_USER=nobody2\n", {true, true, true}},
        {"NICE_LEVEL_MILTER=1\n", {true, false, false}},
        {"TABLE_CAPACITY=2000\n", {true, false, false}},
        {"TCPMAP_LISTEN=127.0.0.1:10041\n", {false, true, false}},
        {"TCPMAP_LISTEN=127.0.0.2:10040\n", {false, true, false}},
        {"LIMIT_CONNECTIONS_TCPMAP=100\n", {false, true, false}},
        {"MONITORING_DIR=/tmp/figures\n", {false, false, true}},
        {"MONITORING_GROUP=zabbix\n", {false, false, true}},
        {"LIMIT_CONNECTIONS_MILTER=1\n", {false, false, false}},
        {"PRIORITY_COUNT=3\nDEFAULT_PRIORITY=1\n", {false, false, false}},
        {"DECISION_LIFETIME=1000\n", {false, false, false}},
        {"DECISION_SYNC=no\n", {false, false, false}},
        {"RELAY_HOST=relay.example\n", {false, false, false}},
        {"URGENT_LISTEN=26\nNICE_LEVEL_URGENT=-4\n", {false, false, false}},
    };

    (void)state;
    note_all("");
    for (size_t c = 0; c < LENGTH(cases); c++)
        for (size_t i = 0; i < LENGTH(programs); i++)
            if (needs(programs[i], cases[c].line) != cases[c].restarts[i])
                fail_msg("%s: %s", programs[i], cases[c].line);
}

static void an_older_version_that_left_no_note_is_restarted(void **state)
{
    char path[PATH_MAX];

    (void)state;
    for (size_t i = 0; i < LENGTH(programs); i++)
        assert_true(needs(programs[i], ""));
    note_all("");
    path_of("peg-milter", "started", path);
    assert_int_equal(truncate(path, 20), 0); /* one that knew fewer parameters */
    assert_true(needs("peg-milter", ""));
    assert_false(needs("peg-tcpmap", ""));
}

static void a_value_that_begins_like_another_is_another(void **state)
{
    (void)state;
    note_all("NICE_LEVEL_MILTER=12\n");
    assert_true(needs("peg-milter", "NICE_LEVEL_MILTER=1\n"));
    note_all("NICE_LEVEL_MILTER=1\n");
    assert_true(needs("peg-milter", "NICE_LEVEL_MILTER=12\n"));
}

static void the_note_says_what_the_program_was_started_with(void **state)
{
    char path[PATH_MAX];
    struct stat status;
    size_t len;
    mode_t mask = umask(077);

    (void)state;
    note_all("DAEMON_USER=nobody\n");
    umask(mask);
    path_of("peg-tcpmap", "started", path);
    char *text = file_read(path, 1000, &len);

    assert_string_equal(text, "DAEMON_USER=nobody\nTCPMAP_LISTEN=[127.0.0.1]:10040\n"
                              "LIMIT_CONNECTIONS_TCPMAP=1000\n");
    free(text);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode, S_IFREG | 0644); /* whoever asks need not be root */
}

static void a_process_that_begins_forgets_the_note_of_the_last_one(void **state)
{
    struct settings *settings = settings_of(root, "");
    char path[PATH_MAX];

    (void)state;
    startup_note(settings, "peg-milter");
    startup_forget_note(settings, "peg-milter");
    path_of("peg-milter", "started", path);
    assert_int_equal(access(path, F_OK), -1);
    settings_free(&settings);
}

/* What the log says at a reload of a program. */
static const char *warnings(const char *program, const char *lines)
{
    static char text[4096];
    char path[PATH_MAX];
    struct settings *settings = settings_of(root, lines);
    size_t len;

    path_of(program, "log", path);
    assert_true(log_open(program, LOG_TO_FILE, path));
    startup_warn_of_restart(settings, program);
    close(log_descriptor());
    assert_true(log_open(program, LOG_TO_STDERR, NULL));
    char *log = file_read(path, sizeof text, &len);

    snprintf(text, sizeof text, "%s", log);
    free(log);
    unlink(path);
    settings_free(&settings);
    return text;
}

static void a_reload_warns_of_what_waits_for_a_restart_and_of_nothing_else(void **state)
{
    const char *text;

    (void)state;
    note_all("");
    assert_string_equal(warnings("peg-tcpmap", "TABLE_CAPACITY=2000\nPRIORITY_COUNT=2\n"), "");
    text = warnings("peg-tcpmap", "LIMIT_CONNECTIONS_TCPMAP=7\nTABLE_CAPACITY=2000\n");
    assert_non_null(
        strstr(text, "warning: LIMIT_CONNECTIONS_TCPMAP changes when peg-tcpmap is restarted\n"));
    assert_null(strstr(text, "TCPMAP_LISTEN"));
    assert_null(strstr(text, "TABLE_CAPACITY"));
}

static void a_reload_without_the_note_says_that_it_cannot_tell(void **state)
{
    (void)state;
    assert_non_null(strstr(warnings("peg-milter", ""), "what peg-milter was started with"));
}

static void the_group_of_the_frontend_is_that_of_who_owns_its_data(void **state)
{
    const struct passwd *owner;
    char path[PATH_MAX], group[STARTUP_GROUP_SIZE], expected[STARTUP_GROUP_SIZE];
    struct settings *settings = settings_of(root, "");

    (void)state;
    assert_false(startup_frontend_group(settings, group));
    snprintf(path, sizeof path, "%s" SETTINGS_FRONTEND_DATA, root);
    assert_int_equal(mkdir(path, 0755), 0);
    owner = getpwuid(geteuid());
    assert_non_null(owner);
    snprintf(expected, sizeof expected, "%s", getgrgid(owner->pw_gid)->gr_name);
    assert_true(startup_frontend_group(settings, group));
    assert_string_equal(group, expected);
    startup_note(settings, "peg-milter");
    assert_false(startup_needs_restart(settings, "peg-milter"));
    assert_int_equal(rmdir(path), 0); /* apply gave it to somebody else, as it were */
    assert_true(startup_needs_restart(settings, "peg-milter"));
    settings_free(&settings);
}

/* In a process of its own: limits that were lowered cannot be raised again. */
static int fitted_limit(rlim_t soft, rlim_t hard, int wanted)
{
    const struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};
    struct rlimit after;
    int fds[2];
    int result[2] = {-1, -1};
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && (geteuid() != 0 || setuid(65534) == 0)) {
            result[0] = startup_fit_connections("LIMIT", wanted);
            if (getrlimit(RLIMIT_NOFILE, &after) == 0)
                result[1] = (int)after.rlim_cur;
        }
        _exit(write(fds[1], result, sizeof result) == sizeof result ? 0 : 1);
    }
    assert_int_equal(read(fds[0], result, sizeof result), sizeof result);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(fds[0]);
    close(fds[1]);
    assert_true(result[1] >= result[0]); /* all of them can be opened */
    return result[0];
}

static void the_connection_limit_is_made_to_fit_the_open_files(void **state)
{
    (void)state;
    assert_int_equal(fitted_limit(1024, 1024, 100), 100);
    assert_int_equal(fitted_limit(64, 1024, 500), 500); /* raised */
    assert_in_range(fitted_limit(64, 256, 500), 200, 255);
    assert_int_equal(fitted_limit(16, 16, 500), 1);
}

static void in_folders(int (*act)(const char *path), const char *const folders[], size_t count)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s%s", root, folders[i]);
        assert_int_equal(act(path), 0);
    }
}

static int make(const char *path)
{
    return mkdir(path, 0755);
}

static int make_root(void **state)
{
    static const char *const folders[] = {"/run", SETTINGS_RUN_DIR, "/var", "/var/lib"};

    (void)state;
    strcpy(root, "/tmp/peg-startup-XXXXXX");
    if (mkdtemp(root) == NULL)
        return -1;
    in_folders(make, folders, LENGTH(folders));
    return 0;
}

static int remove_root(void **state)
{
    static const char *const folders[] = {"/var/lib", "/var", SETTINGS_RUN_DIR, "/run", ""};
    char path[PATH_MAX];

    (void)state;
    for (size_t i = 0; i < LENGTH(programs); i++) {
        path_of(programs[i], "started", path);
        unlink(path);
    }
    in_folders(rmdir, folders, LENGTH(folders));
    return 0;
}

#define IN_ROOT(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ROOT(the_same_settings_need_no_restart),
        IN_ROOT(each_parameter_restarts_the_programs_that_it_concerns),
        IN_ROOT(an_older_version_that_left_no_note_is_restarted),
        IN_ROOT(a_value_that_begins_like_another_is_another),
        IN_ROOT(the_note_says_what_the_program_was_started_with),
        IN_ROOT(a_process_that_begins_forgets_the_note_of_the_last_one),
        IN_ROOT(a_reload_warns_of_what_waits_for_a_restart_and_of_nothing_else),
        IN_ROOT(a_reload_without_the_note_says_that_it_cannot_tell),
        IN_ROOT(the_group_of_the_frontend_is_that_of_who_owns_its_data),
        cmocka_unit_test(the_connection_limit_is_made_to_fit_the_open_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
