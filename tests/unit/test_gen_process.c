/* test_gen_process - running programs, and telling from a pid file whether one runs */
#include "admin/process.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "admin/part.h"
#include "lib/daemon.h"
#include "tests/unit/report.h"
#include "tests/unit/unit.h"

static void output_and_errors_are_kept_apart(void **state)
{
    static const char *const argv[] = {"sh", "-c", "echo out; echo err >&2; exit 7", NULL};
    struct process process;
    char *out;
    char *err;

    (void)state;
    assert_true(process_start(&process, argv, NULL));
    assert_int_equal(process_finish(&process, &out, &err), 7);
    assert_string_equal(out, "out\n");
    assert_string_equal(err, "err\n");
    free(out);
    free(err);
}

static void output_larger_than_a_pipe_does_not_block(void **state)
{
    static const char *const argv[] = {"head", "-c", "1000000", "/dev/zero", NULL};
    struct process process;

    (void)state;
    assert_true(process_start(&process, argv, NULL));
    assert_int_equal(process_finish(&process, NULL, NULL), 0);
}

static void a_daemon_left_behind_is_not_waited_for(void **state)
{
    /* Its child holds the output open until our end closes its standard input. */
    static const char *const argv[] = {"sh", "-c", "cat /proc/self/fd/9 & echo $!", NULL};
    int fds[2];
    char *out;

    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(dup2(fds[0], 9), 9);
    out = process_output(argv);
    assert_non_null(out);
    assert_true(atoi(out) > 0);
    close(9);
    close(fds[0]);
    close(fds[1]);
    free(out);
}

static void a_nice_level_is_that_of_the_program_from_its_start(void **state)
{
    static const char *const argv[] = {"nice", NULL};
    struct process process;
    char *out;

    (void)state;
    assert_true(process_start(&process, argv, &(struct process_share){.nice_level = 7}));
    assert_int_equal(process_finish(&process, &out, NULL), 0);
    assert_string_equal(out, "7\n");
    free(out);
}

static void the_scheduling_policy_is_that_of_the_program_from_its_start(void **state)
{
    static const char *const argv[] = {"chrt", "--pid", "0", NULL};
    struct process process;
    char *out;

    (void)state;
    for (int batch = 0; batch <= 1; batch++) {
        const struct process_share share = {.batch = batch};

        assert_true(process_start(&process, argv, &share));
        assert_int_equal(process_finish(&process, &out, NULL), 0);
        assert_non_null(strstr(out, batch ? "SCHED_BATCH" : "SCHED_OTHER"));
        free(out);
    }
}

static void a_program_that_is_not_there_fails(void **state)
{
    static const char *const argv[] = {"peg-no-such-program", NULL};
    struct process process;
    char *err;

    (void)state;
    assert_true(process_start(&process, argv, NULL));
    assert_int_equal(process_finish(&process, NULL, &err), 127);
    assert_string_equal(err, "peg-no-such-program: No such file or directory\n");
    free(err);
}

static void a_signal_is_a_status_too(void **state)
{
    static const char *const argv[] = {"sh", "-c", "kill -9 $$", NULL};
    struct process process;

    (void)state;
    assert_true(process_start(&process, argv, NULL));
    assert_int_equal(process_finish(&process, NULL, NULL), 128 + 9);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void a_pid_counts_only_while_its_file_is_locked(void **state)
{
    char path[] = "/tmp/test_gen_process.XXXXXX";
    int fd = mkstemp(path);
    pid_t pid = -1;

    (void)state;
    assert_true(fd >= 0);
    write_text(path, "12345\n");
    assert_int_equal(part_pid_file_held(path, &pid), 0);
    assert_int_equal(pid, -1);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(part_pid_file_held(path, &pid), 1);
    assert_int_equal(pid, 12345);
    /* master(8) pads to four times the bytes of a long. */
    write_text(path, "                           1234567\n");
    assert_int_equal(part_pid_file_held(path, &pid), 1);
    assert_int_equal(pid, 1234567);
    write_text(path, "");
    assert_int_equal(part_pid_file_held(path, &pid), -1);
    write_text(path, "1\n"); /* no daemon is init, and kill(-1) would reach everybody */
    assert_int_equal(part_pid_file_held(path, &pid), -1);
    write_text(path, "-1\n");
    assert_int_equal(part_pid_file_held(path, &pid), -1);
    assert_int_equal(pid, 1234567);
    close(fd);
    assert_int_equal(part_pid_file_held(path, NULL), 0);
    unlink(path);
    assert_int_equal(part_pid_file_held(path, NULL), 0);
}

/* A daemon that has just started says so in a file, as one that is known by it. */
static void start_one(const char *path, const char *user)
{
    pid_t daemon = fork();
    int status;

    if (daemon == 0)
        _exit(daemon_pid_file(path, user) ? 0 : 1);
    assert_int_equal(waitpid(daemon, &status, 0), daemon);
    assert_int_equal(status, 0);
}

/* peg-ctl status asks while peg-ctl start starts. */
static void who_asks_does_not_keep_a_daemon_from_starting(void **state)
{
    char path[] = "/tmp/test_gen_process.XXXXXX", before[80];
    int fd = mkstemp(path), status;
    pid_t asking = fork();

    (void)state;
    assert_true(fd >= 0 && asking >= 0);
    close(fd);
    if (asking == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            (void)!part_pid_file_held(path, NULL);
    }
    for (int n = 0; n < 200; n++)
        start_one(path, "root");
    assert_int_equal(kill(asking, SIGKILL), 0);
    assert_int_equal(waitpid(asking, &status, 0), asking);
    snprintf(before, sizeof before, "%s" DAEMON_BEFORE_SUFFIX, path);
    unlink(before);
    unlink(path);
}

static void parts_are_found_by_short_and_by_whole_name(void **state)
{
    static const struct {
        const char *name;
        const char *part;
    } cases[] = {{"milter", "peg-milter"},
                 {"tcpmap", "peg-tcpmap"},
                 {"monitor", "peg-monitor"},
                 {"frontend", "postfix-frontend"},
                 {"postfix-frontend", "postfix-frontend"},
                 {"0", "postfix0"},
                 {"postfix2", "postfix2"},
                 {"3", NULL},
                 {"", NULL},
                 {"postfix", NULL},
                 {"00", NULL},
                 {"peg-milter", "peg-milter"},
                 {"-frontend", NULL}};
    static const char text[] = "PRIORITY_COUNT=3";
    struct report report;
    struct parts parts;

    (void)state;
    report_init(&report);
    struct settings *settings = settings_parse("/r", text, strlen(text), "f", &report.diag);

    assert_non_null(settings);
    parts_init(&parts, settings);
    assert_int_equal(parts.count, 7);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        const struct part *part = parts_find(&parts, cases[i].name);

        if (cases[i].part == NULL)
            assert_null(part);
        else
            assert_string_equal(part->name, cases[i].part);
    }
    parts_deinit(&parts);
    settings_free(&settings);
}

static void a_daemon_was_away_since_the_one_before_was_alive(void **state)
{
    char folder[] = "/tmp/test_gen_process.XXXXXX", path[64], before[80];
    struct part part = {.kind = PART_TCPMAP, .pid_file = path};
    struct timespec times[2];
    struct stat status;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/pid", folder);
    snprintf(before, sizeof before, "%s" DAEMON_BEFORE_SUFFIX, path);
    start_one(path, "root");
    assert_true(part_away_ms(&part) == INT64_MAX); /* there was none */
    assert_int_equal(stat(before, &status), 0);    /* which is made to tell the start */
    start_one(path, "root");
    assert_in_range(part_away_ms(&part), 0, 5000);
    for (int seconds_ago = 8; seconds_ago > -9; seconds_ago -= 16) { /* that: ahead of the clock */
        assert_int_equal(clock_gettime(CLOCK_REALTIME, &times[0]), 0);
        times[0].tv_sec -= seconds_ago;
        times[1] = times[0];
        assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
        start_one(path, "root");
        if (seconds_ago > 0)
            assert_in_range(part_away_ms(&part), 7900, 13000);
        else
            assert_true(part_away_ms(&part) == INT64_MAX);
    }
    assert_true(daemon_pid_file(path, "root"));
    assert_int_equal(utimensat(AT_FDCWD, path, (struct timespec[2]){{.tv_sec = 1000}}, 0), 0);
    daemon_alive();
    assert_int_equal(stat(path, &status), 0);
    assert_true(status.st_mtim.tv_sec > 1000);
    assert_int_equal(part_pid_file_held(path, NULL), 1);
    unlink(before);
    assert_true(part_away_ms(&part) == INT64_MAX);
    unlink(path);
    rmdir(folder);
}

/* Who runs as that user must be able to start the next one itself. */
static void a_pid_file_belongs_to_the_user_of_its_daemon(void **state)
{
    char folder[] = "/tmp/test_gen_process.XXXXXX", path[64], other[80], before[80];
    const struct passwd *nobody = getpwnam("nobody");
    struct stat status;

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_non_null(nobody);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/pid", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    snprintf(before, sizeof before, "%s" DAEMON_BEFORE_SUFFIX, path);
    start_one(path, "nobody");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_uid, nobody->pw_uid);
    assert_int_equal(chown(path, 0, 0), 0);
    assert_int_equal(link(path, other), 0); /* then it may be anybody's */
    assert_false(daemon_pid_file(path, "nobody"));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_uid, 0);
    unlink(other);
    unlink(before);
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_and_errors_are_kept_apart),
        cmocka_unit_test(output_larger_than_a_pipe_does_not_block),
        cmocka_unit_test(a_daemon_left_behind_is_not_waited_for),
        cmocka_unit_test(a_nice_level_is_that_of_the_program_from_its_start),
        cmocka_unit_test(the_scheduling_policy_is_that_of_the_program_from_its_start),
        cmocka_unit_test(a_program_that_is_not_there_fails),
        cmocka_unit_test(a_signal_is_a_status_too),
        cmocka_unit_test(a_pid_counts_only_while_its_file_is_locked),
        cmocka_unit_test(who_asks_does_not_keep_a_daemon_from_starting),
        cmocka_unit_test(a_daemon_was_away_since_the_one_before_was_alive),
        cmocka_unit_test(a_pid_file_belongs_to_the_user_of_its_daemon),
        cmocka_unit_test(parts_are_found_by_short_and_by_whole_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
