/* test_watch_here - the surveys of the live view, with real folders and events */
#include "showqueues/watch_here.h"

#include <inttypes.h>

#include "tests/unit/flow_fixture.h"
#include "tests/unit/settings_of.h"

enum { MESSAGES = 600, TURNS_MIN = 5 /* of is_over(), each 100 messages */ };

struct passing {
    const char *root;
    uint64_t turns;
    uint64_t in_turn;
};

/* In one turn there is half of what the kernel keeps: a move into `active` and the end there. */
static uint64_t messages_in_turn(void)
{
    enum { EVENTS = 4 };
    uint64_t kept = 0;
    FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "re");

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%" SCNu64, &kept), 1);
    fclose(file);
    return kept / EVENTS / 2;
}

static bool mail_passes(void *arg)
{
    struct passing *passing = arg;

    for (uint64_t n = 0; n < passing->in_turn; n++) {
        make_message(passing->root, FRONTEND "incoming/A");
        rename_in(passing->root, FRONTEND "incoming/A", FRONTEND "active/A");
        remove_in(passing->root, FRONTEND "active/A");
    }
    passing->turns++;
    return false;
}

static void what_passes_while_it_looks_is_counted_for_the_next(void **state)
{
    static struct survey survey;
    const struct show_options options = {.is_whole = true};
    struct passing passing = {.root = *state, .in_turn = messages_in_turn()};
    struct watch_here here = {.options = &options, .flow = flow_open(FLOW_MESSAGES)};
    char why[WATCH_WHY_SIZE];

    make_both(*state);
    for (int n = 0; n < MESSAGES; n++) {
        char below[sizeof FRONTEND "deferred/" + 8];

        snprintf(below, sizeof below, FRONTEND "deferred/%d", n);
        make_message(*state, below);
    }
    here.settings = settings_of(*state, TWO);
    assert_true(watch_here_take(&here, SURVEY_COUNTS, mail_passes, &passing, &survey, why));
    assert_true(survey.instances[0].flow.is_known);
    assert_int_equal(survey.instances[0].flow.received_messages, 0);
    assert_true(passing.turns >= TURNS_MIN);

    passing.in_turn = 0;
    assert_true(watch_here_take(&here, SURVEY_COUNTS, mail_passes, &passing, &survey, why));
    assert_int_equal(flow_overflows(here.flow), 0);
    assert_true(survey.instances[0].flow.received_messages >= TURNS_MIN * messages_in_turn());
    assert_int_equal(survey.instances[0].flow.received_messages,
                     survey.instances[0].flow.left_messages);
    flow_close(&here.flow);
    settings_free(&here.settings);
}

static void the_urgent_frontend_has_a_flow_of_its_own(void **state)
{
    static struct survey survey;
    const struct show_options options = {.is_whole = true};
    struct watch_here here = {.options = &options, .flow = flow_open(FLOW_MESSAGES)};
    struct passing passing = {.root = *state};
    char why[WATCH_WHY_SIZE];

    make_both(*state);
    make_queues(*state, URGENT);
    here.settings = settings_of(*state, TWO "URGENT_LISTEN=2525\n");
    assert_true(watch_here_take(&here, SURVEY_COUNTS, mail_passes, &passing, &survey, why));
    make_message(*state, URGENT "incoming/A");
    rename_in(*state, URGENT "incoming/A", URGENT "active/A");
    assert_true(watch_here_take(&here, SURVEY_COUNTS, mail_passes, &passing, &survey, why));
    assert_int_equal(survey.instances[0].instance, PEG_URGENT);
    assert_int_equal(survey.instances[0].flow.received_messages, 1);
    assert_int_equal(survey.instances[1].instance, PEG_FRONTEND);
    assert_int_equal(survey.instances[1].flow.received_messages, 0);
    flow_close(&here.flow);
    settings_free(&here.settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_passes_while_it_looks_is_counted_for_the_next, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_urgent_frontend_has_a_flow_of_its_own, set_up,
                                        tear_down)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
