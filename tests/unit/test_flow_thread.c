/* test_flow_thread - the thread that counts, and what it says in the log */
#include "monitor/flow_thread.h"

#include <poll.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"
#include "tests/unit/flow_fixture.h"
#include "tests/unit/settings_of.h"

enum { MESSAGES = 500, PATIENCE_MS = 30000, PAUSE_MS = 5, TURNS = 10, ASKED = 100 };

static struct survey_flow flow_of_frontend(struct flow_thread *thread,
                                           const struct settings *settings)
{
    static struct survey survey;

    survey = (struct survey){.instances = {{.instance = PEG_FRONTEND}}, .instance_count = 1};
    flow_thread_round(thread, settings, &survey);
    return survey.instances[0].flow;
}

static void it_counts_while_others_ask(void **state)
{
    char *root = *state;
    struct settings *settings = settings_of(root, TWO);
    struct flow_thread thread;
    struct survey_flow found;
    int64_t deadline_ms = clock_boot_ms() + PATIENCE_MS;

    make_both(root);
    flow_thread_start(&thread, settings);
    assert_true(flow_of_frontend(&thread, settings).is_known);
    for (int i = 0; i < MESSAGES; i++) {
        make_message(root, FRONTEND "incoming/A1");
        rename_in(root, FRONTEND "incoming/A1", FRONTEND "active/A1");
        found = flow_of_frontend(&thread, settings);
        assert_in_range(found.received_messages, 0, i + 1);
        remove_in(root, FRONTEND "active/A1");
    }
    do {
        clock_sleep_ms(PAUSE_MS);
        found = flow_of_frontend(&thread, settings);
    } while (found.left_messages < MESSAGES && clock_boot_ms() < deadline_ms);
    assert_int_equal(found.received_messages, MESSAGES);
    assert_int_equal(found.left_messages, MESSAGES);
    flow_thread_end(&thread);
    settings_free(&settings);
}

/* Wait until so many messages have left, without a wakeup of the thread. */
static struct survey_flow wait_for_left(const struct flow_thread *thread, uint64_t messages)
{
    static struct survey survey;
    int64_t deadline_ms = clock_boot_ms() + PATIENCE_MS;

    do {
        clock_sleep_ms(1);
        survey = (struct survey){.instances = {{.instance = PEG_FRONTEND}}, .instance_count = 1};
        flow_fill(thread->flow, &survey);
    } while (survey.instances[0].flow.left_messages < messages && clock_boot_ms() < deadline_ms);
    assert_int_equal(survey.instances[0].flow.left_messages, messages);
    return survey.instances[0].flow;
}

/* One quick turn proves that nothing gathers; any may be slow on a busy machine. */
static int64_t quicker(int64_t took_ms, int64_t other_ms)
{
    return took_ms < other_ms ? took_ms : other_ms;
}

/* A message that goes when the thread has read its size. Returns how long that took. */
static int64_t pass(const char *root, const struct flow_thread *thread)
{
    struct pollfd arrivals = {.fd = flow_arrivals_descriptor(thread->flow), .events = POLLIN};
    struct survey survey = {.instance_count = 0};
    int64_t began_ms, read_ms;

    make_message(root, FRONTEND "incoming/A1");
    rename_in(root, FRONTEND "incoming/A1", FRONTEND "active/A1");
    began_ms = clock_boot_ms();
    while (poll(&arrivals, 1, 0) > 0 && clock_boot_ms() < began_ms + PATIENCE_MS)
        clock_sleep_ms(1);
    flow_fill(thread->flow, &survey); /* which waits for the one who has taken the event */
    read_ms = clock_boot_ms();
    remove_in(root, FRONTEND "active/A1");
    return read_ms - began_ms;
}

static void events_gather_before_they_are_counted_but_sizes_are_read_at_once(void **state)
{
    char *root = *state;
    struct settings *settings = settings_of(root, TWO);
    struct flow_thread thread;
    struct survey_flow found;
    int64_t counted_ms, reading_ms = INT64_MAX;

    make_both(root);
    flow_thread_start(&thread, settings);
    pass(root, &thread);
    wait_for_left(&thread, 1); /* so the thread has begun */
    counted_ms = clock_boot_ms();
    for (uint64_t n = 2; n <= TURNS; n++) {
        reading_ms = quicker(pass(root, &thread), reading_ms);
        found = wait_for_left(&thread, n);
    }
    assert_true(clock_boot_ms() - counted_ms >= (TURNS - 1) * FLOW_WAIT_MS / 2);
    assert_true(reading_ms < FLOW_WAIT_MS / 2);
    assert_int_equal(found.received_messages, TURNS);
    assert_int_equal(found.received_octets, TURNS * OCTETS);
    assert_int_equal(found.left_octets, TURNS * OCTETS);
    assert_int_equal(found.left_recipients, TURNS * RECIPIENTS);
    flow_thread_end(&thread);
    settings_free(&settings);
}

static void who_asks_is_told_of_all_that_has_happened(void **state)
{
    char *root = *state;
    struct settings *settings = settings_of(root, TWO);
    struct flow_thread thread;
    unsigned times = 0;
    int64_t took_ms = INT64_MAX;
    int64_t deadline_ms = clock_boot_ms() + PATIENCE_MS;

    make_both(root);
    flow_thread_start(&thread, settings);
    for (uint64_t n = 1; n <= ASKED; n++) {
        static struct survey survey;
        int64_t began_ms;

        pass(root, &thread);
        began_ms = clock_boot_ms();
        do { /* once, unless the thread has no processor for FLOW_THREAD_PATIENCE_MS */
            survey =
                (struct survey){.instances = {{.instance = PEG_FRONTEND}}, .instance_count = 1};
            flow_thread_fill(&thread, &survey);
            times++;
        } while (survey.instances[0].flow.left_messages < n && clock_boot_ms() < deadline_ms);
        took_ms = quicker(clock_boot_ms() - began_ms, took_ms);
        assert_int_equal(survey.instances[0].flow.left_messages, n);
    }
    assert_true(times < ASKED + ASKED / 10);
    assert_true(took_ms < FLOW_WAIT_MS / 2);
    flow_thread_end(&thread);
    settings_free(&settings);
}

static void it_ends_at_once_while_events_gather(void **state)
{
    char *root = *state;
    struct settings *settings = settings_of(root, TWO);
    struct flow_thread thread;
    int64_t took_ms = INT64_MAX;

    make_both(root);
    for (int i = 0; i < TURNS; i++) {
        int64_t began_ms;

        flow_thread_start(&thread, settings);
        pass(root, &thread);
        wait_for_left(&thread, 1);
        pass(root, &thread); /* from here on it waits for more */
        began_ms = clock_boot_ms();
        flow_thread_end(&thread);
        took_ms = quicker(clock_boot_ms() - began_ms, took_ms);
    }
    assert_true(took_ms < FLOW_WAIT_MS / 2);
    settings_free(&settings);
}

static size_t times_said(const char *path, const char *what)
{
    size_t len, times = 0;
    char *text = file_read(path, 100000, &len);

    assert_non_null(text);
    for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
        times++;
    free(text);
    return times;
}

static void what_cannot_be_watched_is_in_the_log_once_and_once_more_when_it_can(void **state)
{
    char *root = *state;
    struct settings *settings = settings_of(root, TWO);
    char path[PATH_SIZE], broken[PATH_SIZE];
    struct flow_thread thread;

    make_both(root);
    path_in(root, "log", path);
    path_in(root, POSTFIX0 "active: Too many levels of symbolic links, ", broken);
    assert_true(log_open("peg-monitor", LOG_TO_FILE, path));
    break_folder(root, POSTFIX0 "active");
    flow_thread_start(&thread, settings);
    for (int i = 0; i < 3; i++)
        assert_true(flow_of_frontend(&thread, settings).is_known);
    assert_int_equal(times_said(path, broken), 1);
    remove_in(root, POSTFIX0 "active");
    make_folder(root, POSTFIX0 "active");
    for (int i = 0; i < 3; i++)
        assert_true(flow_of_frontend(&thread, settings).is_known);
    assert_int_equal(times_said(path, "mail that passes is counted again"), 1);
    assert_int_equal(times_said(path, "\n"), 2);
    flow_thread_end(&thread);
    close(log_descriptor());
    assert_true(log_open("peg-monitor", LOG_TO_STDERR, NULL));
    settings_free(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_counts_while_others_ask, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            events_gather_before_they_are_counted_but_sizes_are_read_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_asks_is_told_of_all_that_has_happened, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(it_ends_at_once_while_events_gather, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_cannot_be_watched_is_in_the_log_once_and_once_more_when_it_can, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
