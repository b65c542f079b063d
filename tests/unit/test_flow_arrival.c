/* test_flow_arrival - sizes that are read before the moves of their messages are counted */
#include "survey/flow_count.h"

#include "tests/unit/flow_count_fixture.h"

static void a_size_that_was_read_at_arrival_counts_where_the_file_is_gone_by_now(void **state)
{
    (void)state;
    create("A1");
    flow_count_arrived(&count, "A1");
    expect(0, 0, 0, 0, 0, 0);
    gone = "A1";
    receive("A1");
    remove_file(QUEUE_ACTIVE, "A1");
    expect(1, 1000, 2, 1, 1000, 2);
    assert_int_equal(reads, 1);
    flow_count_arrived(&count, "B12"); /* a deferred message whose time has come */
    gone = "B12";
    move_in(QUEUE_ACTIVE, "B12");
    remove_file(QUEUE_ACTIVE, "B12");
    expect(1, 1000, 2, 2, 2000, 5);
    flow_count_arrived(&count, "C123"); /* released */
    gone = "C123";
    move(QUEUE_HOLD, QUEUE_ACTIVE, "C123");
    remove_file(QUEUE_ACTIVE, "C123");
    expect(1, 1000, 2, 3, 3000, 9);
    flow_count_arrived(&count, "D1234"); /* the same, as postsuper does it */
    gone = "D1234";
    from(QUEUE_HOLD, "D1234");
    move_in(QUEUE_ACTIVE, "D1234");
    remove_file(QUEUE_ACTIVE, "D1234");
    expect(1, 1000, 2, 4, 4000, 14);
    assert_int_equal(count.remembered, 0);
}

static void an_arrival_that_is_told_late_changes_nothing(void **state)
{
    (void)state;
    receive("A1");
    flow_count_arrived(&count, "A1");
    assert_int_equal(reads, 1);
    remove_file(QUEUE_ACTIVE, "A1");
    gone = "A1";
    flow_count_arrived(&count, "A1");
    expect(1, 1000, 2, 1, 1000, 2);
    assert_int_equal(count.remembered, 0);
}

static void a_message_that_arrives_again_is_not_received_again(void **state)
{
    (void)state;
    receive("A1");
    flow_count_arrived(&count, "A1"); /* of the way back, before that is counted */
    move(QUEUE_ACTIVE, QUEUE_INCOMING, "A1");
    flow_count_arrived(&count, "A1");
    move(QUEUE_INCOMING, QUEUE_ACTIVE, "A1");
    flow_count_arrived(&count, "B12"); /* deferred, then moved by postqueue -i */
    move_in(QUEUE_INCOMING, "B12");
    move(QUEUE_INCOMING, QUEUE_ACTIVE, "B12");
    expect(1, 1000, 2, 0, 0, 0);
    remove_file(QUEUE_ACTIVE, "A1");
    remove_file(QUEUE_ACTIVE, "B12");
    expect(1, 1000, 2, 2, 2000, 5);
    assert_int_equal(reads, 2);
}

static void a_size_is_read_as_well_where_a_message_was_known_without_it(void **state)
{
    (void)state;
    move_in(QUEUE_INCOMING, "A1"); /* deferred, then moved by postqueue -i, and counted at once */
    flow_count_arrived(&count, "A1");
    gone = "A1";
    move(QUEUE_INCOMING, QUEUE_ACTIVE, "A1");
    remove_file(QUEUE_ACTIVE, "A1");
    expect(0, 0, 0, 1, 1000, 2);
    assert_int_equal(reads, 1);
    assert_int_equal(count.remembered, 0);
}

static void what_arrives_and_is_no_message_is_not_read(void **state)
{
    (void)state;
    flow_count_arrived(&count, "note.txt");
    flow_count_arrived(&count, "");
    assert_int_equal(reads, 0);
    assert_int_equal(count.remembered, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_size_that_was_read_at_arrival_counts_where_the_file_is_gone_by_now),
        TEST(an_arrival_that_is_told_late_changes_nothing),
        TEST(a_message_that_arrives_again_is_not_received_again),
        TEST(a_size_is_read_as_well_where_a_message_was_known_without_it),
        TEST(what_arrives_and_is_no_message_is_not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
