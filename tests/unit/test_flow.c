/* test_flow - the queues of several Postfixes under watch, with real folders and events */
#include "survey/flow.h"

#include <inttypes.h>

#include "tests/unit/flow_watching_fixture.h"

enum { MANY = 10000 }; /* moves: more than the kernel keeps */
enum { PATIENCE_S = 30, TURNS = 5 };

static void messages_are_counted_for_each_postfix(void **state)
{
    char *root = *state;
    struct watching watching;

    make_both(root);
    make_message(root, FRONTEND "active/B2");
    watching = begin(root, TWO);
    expect(&watching, PEG_FRONTEND, 0, 0);
    make_message(root, POSTFIX0 "incoming/1.2");
    rename_in(root, POSTFIX0 "incoming/1.2", POSTFIX0 "incoming/A1");
    expect(&watching, 0, 0, 0);
    rename_in(root, POSTFIX0 "incoming/A1", POSTFIX0 "active/A1");
    expect(&watching, 0, 1, 0);
    remove_in(root, FRONTEND "active/B2");
    expect(&watching, PEG_FRONTEND, 0, 1);
    watch(&watching);
    rename_in(root, POSTFIX0 "active/A1", POSTFIX0 "incoming/A1");
    rename_in(root, POSTFIX0 "incoming/A1", POSTFIX0 "active/A1");
    expect(&watching, 0, 1, 0);
    remove_in(root, POSTFIX0 "active/A1");
    expect(&watching, 0, 1, 1);
    expect(&watching, PEG_FRONTEND, 0, 1);
    end(&watching);
}

static void the_urgent_frontend_is_counted_while_it_is_there(void **state)
{
    char *root = *state;
    struct watching watching;

    make_both(root);
    make_queues(root, URGENT);
    make_message(root, URGENT "incoming/A1");
    watching = begin(root, TWO "URGENT_LISTEN=2525\n");
    rename_in(root, URGENT "incoming/A1", URGENT "active/A1");
    expect(&watching, PEG_URGENT, 1, 0);
    expect(&watching, PEG_FRONTEND, 0, 0);
    remove_in(root, URGENT "active/A1");
    expect(&watching, PEG_URGENT, 1, 1);
    settings_free(&watching.settings);
    watching.settings = settings_of(root, TWO);
    watch(&watching);
    assert_false(flow_of(&watching, PEG_URGENT)->is_known);
    expect(&watching, PEG_FRONTEND, 0, 0);
    end(&watching);
}

/* The lowest one that is free. */
static int next_descriptor(void)
{
    int fd = dup(STDERR_FILENO);

    assert_true(fd >= 0);
    close(fd);
    return fd;
}

static void a_postfix_that_goes_and_comes_again_begins_anew_and_leaves_nothing_open(void **state)
{
    char *root = *state;
    struct settings *settings[] = {settings_of(root, TWO),
                                   settings_of(root, TWO "URGENT_LISTEN=2525\n")};
    struct watching watching;
    char why[QUEUES_WHY_SIZE];
    int fd = next_descriptor();

    make_both(root);
    make_queues(root, URGENT);
    watching = begin(root, TWO "URGENT_LISTEN=2525\n");
    for (int i = 0; i < TURNS; i++) {
        make_message(root, URGENT "incoming/A1");
        rename_in(root, URGENT "incoming/A1", URGENT "active/A1");
        assert_true(flow_watch(watching.flow, settings[0], why)); /* with events on their way */
        remove_in(root, URGENT "active/A1");
        assert_true(flow_watch(watching.flow, settings[1], why));
        make_message(root, URGENT "incoming/B1");
        rename_in(root, URGENT "incoming/B1", URGENT "active/B1");
        expect(&watching, PEG_URGENT, 1, 0);
        remove_in(root, URGENT "active/B1");
        expect(&watching, PEG_URGENT, 1, 1);
        expect(&watching, PEG_FRONTEND, 0, 0);
    }
    end(&watching);
    assert_int_equal(next_descriptor(), fd);
    settings_free(&settings[0]);
    settings_free(&settings[1]);
}

static void hashed_queues_are_watched_with_subfolders_that_come_later(void **state)
{
    char *root = *state;
    struct watching watching;

    make_both(root);
    make_folder(root, POSTFIX0 "incoming/A");
    watching = begin(root, TWO);
    make_message(root, POSTFIX0 "incoming/1.2");
    rename_in(root, POSTFIX0 "incoming/1.2", POSTFIX0 "incoming/A/A4B");
    make_folder(root, POSTFIX0 "active/A"); /* the first of its kind moves at once */
    rename_in(root, POSTFIX0 "incoming/A/A4B", POSTFIX0 "active/A/A4B");
    expect(&watching, 0, 1, 0);
    make_folder(root, POSTFIX0 "incoming/B/4");
    make_folder(root, POSTFIX0 "active/B/4");
    expect(&watching, 0, 1, 0);
    make_message(root, POSTFIX0 "incoming/B/4/B4C");
    rename_in(root, POSTFIX0 "incoming/B/4/B4C", POSTFIX0 "active/B/4/B4C");
    expect(&watching, 0, 2, 0);
    remove_in(root, POSTFIX0 "active/A/A4B");
    remove_in(root, POSTFIX0 "active/A");
    remove_in(root, POSTFIX0 "active/B/4/B4C");
    expect(&watching, 0, 2, 2);
    end(&watching);
}

static void folders_that_come_later_or_are_replaced_are_watched_from_the_next_round(void **state)
{
    char *root = *state;
    struct watching watching;

    make_queues(root, FRONTEND);
    watching = begin(root, TWO);
    assert_false(flow_of(&watching, 0)->is_known);
    make_queues(root, POSTFIX0);
    watch(&watching);
    make_message(root, POSTFIX0 "incoming/A1");
    rename_in(root, POSTFIX0 "incoming/A1", POSTFIX0 "active/A1");
    expect(&watching, 0, 1, 0);
    rename_in(root, POSTFIX0 "active", POSTFIX0 "was-active");
    make_folder(root, POSTFIX0 "active");
    make_message(root, POSTFIX0 "active/C1");
    watch(&watching);
    make_message(root, POSTFIX0 "incoming/B1");
    rename_in(root, POSTFIX0 "incoming/B1", POSTFIX0 "active/B1");
    remove_in(root, POSTFIX0 "active/C1");
    expect(&watching, 0, 2, 1); /* counters go on */
    remove_in(root, POSTFIX0 "active/B1");
    remove_in(root, POSTFIX0 "active");
    expect(&watching, 0, 2, 2);
    watch(&watching);
    assert_false(flow_of(&watching, 0)->is_known);
    end(&watching);
}

static void instances_that_come_begin_with_zero_and_those_that_go_are_unknown(void **state)
{
    char *root = *state;
    struct watching watching;

    make_both(root);
    make_queues(root, "var/spool/postfix2");
    watching = begin(root, TWO);
    assert_false(flow_of(&watching, 2)->is_known);
    settings_free(&watching.settings);
    watching.settings = settings_of(root, THREE);
    watch(&watching);
    make_message(root, "var/spool/postfix2/incoming/A1");
    rename_in(root, "var/spool/postfix2/incoming/A1", "var/spool/postfix2/active/A1");
    expect(&watching, 2, 1, 0);
    settings_free(&watching.settings);
    watching.settings = settings_of(root, THREE "INSTANCE_NEXTHOP[2]=[192.0.2.1]:20001\n");
    watch(&watching);
    assert_false(flow_of(&watching, 2)->is_known);
    expect(&watching, 0, 0, 0);
    end(&watching);
}

static void lost_events_are_told_and_counting_goes_on(void **state)
{
    char *root = *state;
    struct watching watching;
    uint64_t received;

    make_both(root);
    make_message(root, POSTFIX0 "active/A1");
    watching = begin(root, TWO);
    for (int i = 0; i < MANY; i++) {
        rename_in(root, POSTFIX0 "active/A1", POSTFIX0 "incoming/A1");
        rename_in(root, POSTFIX0 "incoming/A1", POSTFIX0 "active/A1");
    }
    make_message(root, POSTFIX0 "incoming/B1");
    rename_in(root, POSTFIX0 "incoming/B1", POSTFIX0 "active/B1"); /* of this nothing is told */
    received = flow_of(&watching, 0)->received_messages;
    assert_int_equal(flow_overflows(watching.flow), 1);
    assert_int_equal(received, 0);
    remove_in(root, POSTFIX0 "active/B1");
    remove_in(root, POSTFIX0 "active/A1");
    expect(&watching, 0, 0, 2);
    assert_int_equal(flow_overflows(watching.flow), 1);
    end(&watching);
}

struct asking {
    const struct watching *watching;
    unsigned times;
};

/* Asked while folders are read: nobody else may have to wait for that. */
static bool ask_others(void *arg)
{
    struct asking *asking = arg;
    char why[QUEUES_WHY_SIZE];
    struct survey survey = {.instances = {{.instance = PEG_FRONTEND}}, .instance_count = 1};

    asking->times++;
    flow_fill(asking->watching->flow, &survey);
    assert_true(survey.instances[0].flow.is_known);
    assert_true(flow_watch(asking->watching->flow, asking->watching->settings, why));
    return true;
}

static void a_look_at_long_queues_holds_nobody_up_and_can_be_ended(void **state)
{
    char *root = *state;
    struct watching watching = {.root = root, .settings = settings_of(root, TWO)};
    struct asking asking = {.watching = &watching};
    char why[QUEUES_WHY_SIZE], name[64];

    make_both(root);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, FRONTEND "incoming/A%d", i);
        make_message(root, name);
    }
    watching.flow = flow_open(FLOW_SIZES);
    assert_non_null(watching.flow);
    assert_true(flow_watch(watching.flow, watching.settings, why));
    alarm(PATIENCE_S); /* a lock that is held would be waited for for ever */
    flow_drain(watching.flow, ask_others, &asking);
    alarm(0);
    assert_in_range(asking.times, 1, 10); /* not once for each message */
    end(&watching);
}

static void what_cannot_be_watched_is_told(void **state)
{
    char *root = *state;
    struct watching watching = {.root = root};
    char why[QUEUES_WHY_SIZE];

    make_both(root);
    break_folder(root, POSTFIX0 "active");
    watching.settings = settings_of(root, TWO);
    watching.flow = flow_open(FLOW_SIZES);
    assert_non_null(watching.flow);
    assert_false(flow_watch(watching.flow, watching.settings, why));
    assert_non_null(strstr(why, POSTFIX0 "active: Too many levels of symbolic links, "));
    assert_false(flow_of(&watching, 0)->is_known);
    assert_true(flow_of(&watching, PEG_FRONTEND)->is_known);
    end(&watching);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(messages_are_counted_for_each_postfix),
        TEST(the_urgent_frontend_is_counted_while_it_is_there),
        TEST(a_postfix_that_goes_and_comes_again_begins_anew_and_leaves_nothing_open),
        TEST(hashed_queues_are_watched_with_subfolders_that_come_later),
        TEST(folders_that_come_later_or_are_replaced_are_watched_from_the_next_round),
        TEST(instances_that_come_begin_with_zero_and_those_that_go_are_unknown),
        TEST(lost_events_are_told_and_counting_goes_on),
        TEST(a_look_at_long_queues_holds_nobody_up_and_can_be_ended),
        TEST(what_cannot_be_watched_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
