/* test_flow_thread - the thread that counts, and what it says in the log */
#include "monitor/flow_thread.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"
#include "tests/unit/flow_fixture.h"
#include "tests/unit/settings_of.h"

enum { MESSAGES = 500, PATIENCE_MS = 30000, PAUSE_MS = 5 };

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
            what_cannot_be_watched_is_in_the_log_once_and_once_more_when_it_can, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
