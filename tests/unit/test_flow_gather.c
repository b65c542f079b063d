/* test_flow_gather - events that wait to be counted, and sizes that are read meanwhile */
#include "survey/flow.h"

#include <poll.h>

#include "tests/unit/flow_watching_fixture.h"

enum { BURST = 4000 }; /* messages: less than the kernel keeps, more than one read takes */

static bool has_arrivals(const struct watching *watching)
{
    struct pollfd arrivals = {.fd = flow_arrivals_descriptor(watching->flow), .events = POLLIN};

    return poll(&arrivals, 1, 0) > 0;
}

/* A message that is gone before its events are counted, but not before its size is read. */
static void pass_quickly(const struct watching *watching, const char *incoming, const char *active)
{
    make_message(watching->root, incoming);
    assert_false(has_arrivals(watching));
    rename_in(watching->root, incoming, active);
    assert_true(has_arrivals(watching));
    flow_take_sizes(watching->flow);
    assert_false(has_arrivals(watching));
    remove_in(watching->root, active);
}

static void sizes_are_read_at_once_and_the_rest_can_wait(void **state)
{
    char *root = *state;
    struct watching watching;

    make_both(root);
    make_folder(root, POSTFIX0 "active/A/4");
    watching = begin(root, TWO);
    assert_false(has_arrivals(&watching));
    pass_quickly(&watching, FRONTEND "incoming/A1", FRONTEND "active/A1");
    pass_quickly(&watching, POSTFIX0 "incoming/B1", POSTFIX0 "active/B1");
    pass_quickly(&watching, POSTFIX0 "incoming/A4B", POSTFIX0 "active/A/4/A4B");
    make_folder(root, POSTFIX0 "active/C");
    expect(&watching, 0, 2, 2);
    pass_quickly(&watching, POSTFIX0 "incoming/C4", POSTFIX0 "active/C/C4");
    expect(&watching, PEG_FRONTEND, 1, 1);
    expect(&watching, 0, 3, 3);
    rename_in(root, POSTFIX0 "active", POSTFIX0 "was-active");
    make_folder(root, POSTFIX0 "active");
    watch(&watching);
    pass_quickly(&watching, POSTFIX0 "incoming/D1", POSTFIX0 "active/D1");
    expect(&watching, 0, 4, 4);
    end(&watching);
}

static void events_gather_unless_queues_are_hashed(void **state)
{
    char *root = *state;
    struct watching watching;

    make_both(root);
    watching = begin(root, TWO);
    assert_int_equal(flow_wait_ms(watching.flow), FLOW_WAIT_MS);
    make_folder(root, POSTFIX0 "incoming/A");
    expect(&watching, 0, 0, 0);
    assert_int_equal(flow_wait_ms(watching.flow), 0);
    remove_in(root, POSTFIX0 "incoming/A");
    expect(&watching, 0, 0, 0);
    assert_int_equal(flow_wait_ms(watching.flow), FLOW_WAIT_MS);
    end(&watching);
}

static void what_is_known_stays_where_a_subfolder_is_new(void **state)
{
    char *root = *state;
    struct watching watching;

    make_both(root);
    watching = begin(root, TWO);
    make_folder(root, POSTFIX0 "active/A");
    flow_take_sizes(watching.flow);
    pass_quickly(&watching, POSTFIX0 "incoming/B1", POSTFIX0 "active/B1");
    expect(&watching, 0, 1, 1);
    end(&watching);
}

static void without_sizes_messages_count_and_no_file_is_read(void **state)
{
    char *root = *state;
    struct watching watching = {.root = root, .settings = settings_of(root, TWO)};
    const struct survey_flow *flow;

    make_both(root);
    watching.flow = flow_open(FLOW_MESSAGES);
    assert_non_null(watching.flow);
    assert_int_equal(flow_arrivals_descriptor(watching.flow), -1);
    watch(&watching);
    make_message(root, FRONTEND "incoming/A1");
    rename_in(root, FRONTEND "incoming/A1", FRONTEND "active/A1");
    flow_take_sizes(watching.flow);
    flow_drain(watching.flow, NULL, NULL);
    remove_in(root, FRONTEND "active/A1");
    flow = flow_of(&watching, PEG_FRONTEND);
    assert_int_equal(flow->received_messages, 1);
    assert_int_equal(flow->left_messages, 1);
    assert_int_equal(flow->received_octets + flow->left_octets, 0);
    assert_int_equal(flow->received_recipients + flow->left_recipients, 0);
    end(&watching);
}

static void what_gathers_is_counted_in_full(void **state)
{
    char *root = *state;
    struct watching watching;
    char incoming[64], active[64];

    make_both(root);
    watching = begin(root, TWO);
    for (int i = 0; i < BURST; i++) {
        snprintf(incoming, sizeof incoming, FRONTEND "incoming/A%d", i);
        snprintf(active, sizeof active, FRONTEND "active/A%d", i);
        make_message(root, incoming);
        rename_in(root, incoming, active);
    }
    expect(&watching, PEG_FRONTEND, BURST, 0);
    for (int i = 0; i < BURST; i++) {
        snprintf(active, sizeof active, FRONTEND "active/A%d", i);
        remove_in(root, active);
    }
    expect(&watching, PEG_FRONTEND, BURST, BURST);
    assert_int_equal(flow_overflows(watching.flow), 0);
    end(&watching);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(sizes_are_read_at_once_and_the_rest_can_wait),
        TEST(events_gather_unless_queues_are_hashed),
        TEST(what_is_known_stays_where_a_subfolder_is_new),
        TEST(without_sizes_messages_count_and_no_file_is_read),
        TEST(what_gathers_is_counted_in_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
