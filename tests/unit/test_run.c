/* test_run - real programs as bounce commands: what they see, how they end, what they leave */
#include "bounce/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "tests/unit/unit.h"

static const char *const facts[FACT_NUMBER] = {"postfix4", "4",  "4ABC", "\"$(id)\"@y",
                                               "a@x\nb@x", "%s", "7"};

static struct run_result result;

/* Run a command line with this notice. */
static bool run_line(const char *line, const char *notice, int stop_fd)
{
    char why[COMMAND_WHY_SIZE];
    char **words = command_split(line, facts, why);
    int saved_errno;
    bool good;

    assert_non_null(words);
    result = (struct run_result){.status = -1};
    good = run_command(&(struct run_input){words, facts, notice, strlen(notice), stop_fd}, &result);
    saved_errno = errno;
    command_free(&words);
    errno = saved_errno;
    return good;
}

static void expect_output(const char *line, const char *notice, const char *output)
{
    assert_true(run_line(line, notice, -1));
    assert_int_equal(result.end, RUN_EXITED);
    assert_string_equal(result.output, output);
}

static void it_gets_the_facts_and_nothing_else(void **state)
{

    (void)state;
    setenv("SECRET", "x", 1);
    expect_output("env", "",
                  "PEG_BOUNCE_INSTANCE=postfix4\nPEG_BOUNCE_PRIORITY=4\nPEG_BOUNCE_QUEUE_ID=4ABC\n"
                  "PEG_BOUNCE_SENDER=\"$(id)\"@y\nPEG_BOUNCE_RECIPIENTS=a@x\nb@x\n"
                  "PEG_BOUNCE_REASON=%s\nPEG_BOUNCE_COUNT=7\nPATH=" RUN_PATH "\n");
    assert_int_equal(result.status, 0);
}

static void the_notice_is_its_input_and_words_are_words(void **state)
{

    (void)state;
    expect_output("/bin/cat", "From: x\n\ny\n", "From: x\n\ny\n");
    expect_output("printf '<%s>' 'a b' '' $PEG_BOUNCE_SENDER", "", "<a b><><\"$(id)\"@y>");
}

static void its_status_or_signal_is_told(void **state)
{

    (void)state;
    expect_output("sh -c 'echo out; echo err >&2; exit 7'", "", "out\nerr\n");
    assert_int_equal(result.status, 7);
    assert_true(run_line("sh -c 'kill -TERM $$'", "", -1));
    assert_int_equal(result.end, RUN_SIGNALED);
    assert_int_equal(result.status, SIGTERM);
}

static void much_output_does_not_hold_it_up(void **state)
{

    (void)state;
    assert_true(run_line("head -c 3000000 /dev/zero", "", -1));
    assert_int_equal(result.status, 0);
    assert_int_equal(strlen(result.output), RUN_OUTPUT_SIZE - 1);
    assert_int_equal(result.output[0], '?');
}

/* What it leaves behind holds its output open, and would write much later. */
static void what_it_leaves_behind_is_killed(void **state)
{
    int64_t start_ms = clock_boot_ms();
    pid_t left;

    (void)state;
    assert_true(run_line("sh -c 'sleep 1000 & echo $!'", "", -1));
    assert_in_range(clock_boot_ms() - start_ms, 0, 20000);
    left = (pid_t)atol(result.output);
    assert_true(left > 1);
    for (int i = 0; i < 1000 && kill(left, 0) == 0; i++)
        clock_sleep_ms(10); /* until init has taken notice */
    assert_int_equal(kill(left, 0), -1);
}

static void it_ends_when_postfix_does(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    close(ends[1]);
    assert_true(run_line("sleep 1000", "", ends[0]));
    close(ends[0]);
    assert_int_equal(result.end, RUN_STOPPED);
}

static void one_after_another_is_waited_for(void **state)
{

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(run_line("true", "", -1));
        expect_output("sh -c 'sleep 0.3; echo done'", "", "done\n");
    }
}

/* execvp(3) would hand the last one to a shell. */
static void what_cannot_be_run_is_an_error(void **state)
{
    char path[] = "/tmp/peg-test-run-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "echo run by a shell\n", 20), 20);
    assert_false(run_line("no-such-program-anywhere", "", -1));
    assert_int_equal(errno, ENOENT);
    assert_false(run_line("/usr/bin", "", -1));
    assert_false(run_line(path, "", -1));
    assert_int_equal(fchmod(fd, 0755), 0);
    close(fd);
    assert_false(run_line(path, "", -1));
    assert_int_equal(errno, ENOEXEC);
    assert_string_equal(result.output, "");
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_gets_the_facts_and_nothing_else),
        cmocka_unit_test(the_notice_is_its_input_and_words_are_words),
        cmocka_unit_test(its_status_or_signal_is_told),
        cmocka_unit_test(much_output_does_not_hold_it_up),
        cmocka_unit_test(what_it_leaves_behind_is_killed),
        cmocka_unit_test(it_ends_when_postfix_does),
        cmocka_unit_test(one_after_another_is_waited_for),
        cmocka_unit_test(what_cannot_be_run_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
