/* test_flow_count - what goes through the queues, from the moves of queue files */
#include "survey/flow_count.h"

#include <stdio.h>

#include "tests/unit/flow_count_fixture.h"

/* To a queue that is not watched, or another folder. */
static void move_out(enum queue queue, const char *name)
{
    from(queue, name);
}

static void look_at(enum queue queue, const char *name)
{
    flow_count_look_begin(&count);
    flow_count_found(&count, queue, name);
    flow_count_look_end(&count);
}

static void look_at_nothing(void)
{
    flow_count_look_begin(&count);
    flow_count_look_end(&count);
}

static void a_message_is_received_when_it_becomes_active_and_leaves_when_it_is_deleted(void **state)
{
    (void)state;
    create("A1");
    expect(0, 0, 0, 0, 0, 0);
    move(QUEUE_INCOMING, QUEUE_ACTIVE, "A1");
    expect(1, 1000, 2, 0, 0, 0);
    remove_file(QUEUE_ACTIVE, "A1");
    expect(1, 1000, 2, 1, 1000, 2);
    assert_int_equal(reads, 1);
    assert_int_equal(count.remembered, 0);
}

static void a_message_that_a_client_breaks_off_is_not_received(void **state)
{
    (void)state;
    create("A1");
    remove_file(QUEUE_INCOMING, "A1");
    expect(0, 0, 0, 0, 0, 0);
}

static void a_deferred_message_is_received_once_and_leaves_once(void **state)
{
    (void)state;
    receive("A1");
    move_out(QUEUE_ACTIVE, "A1"); /* to deferred */
    assert_int_equal(count.remembered, 0);
    move_in(QUEUE_ACTIVE, "A1");
    move_out(QUEUE_ACTIVE, "A1");
    move_in(QUEUE_INCOMING, "A1"); /* postqueue -i */
    move(QUEUE_INCOMING, QUEUE_ACTIVE, "A1");
    remove_file(QUEUE_ACTIVE, "A1");
    expect(1, 1000, 2, 1, 1000, 2);
}

static void a_restarted_queue_manager_receives_nothing_again(void **state)
{
    (void)state;
    receive("A1");
    receive("B12");
    move(QUEUE_ACTIVE, QUEUE_INCOMING, "A1");
    move(QUEUE_ACTIVE, QUEUE_INCOMING, "B12");
    receive("C123"); /* a new one comes between */
    move(QUEUE_INCOMING, QUEUE_ACTIVE, "B12");
    move(QUEUE_ACTIVE, QUEUE_INCOMING, "B12"); /* restarted again */
    expect(3, 3000, 9, 0, 0, 0);
    move(QUEUE_INCOMING, QUEUE_ACTIVE, "A1");
    move(QUEUE_INCOMING, QUEUE_ACTIVE, "B12");
    remove_file(QUEUE_ACTIVE, "A1");
    remove_file(QUEUE_ACTIVE, "B12");
    remove_file(QUEUE_ACTIVE, "C123");
    expect(3, 3000, 9, 3, 3000, 9);
    assert_int_equal(reads, 3);
    assert_int_equal(count.remembered, 0);
}

static void what_an_operator_deletes_of_messages_that_came_back_is_forgotten(void **state)
{
    (void)state;
    receive("A1");
    move(QUEUE_ACTIVE, QUEUE_INCOMING, "A1");
    remove_file(QUEUE_INCOMING, "A1");
    assert_int_equal(count.remembered, 0);
    expect(1, 1000, 2, 0, 0, 0);
    receive("A1"); /* the same queue ID: another message */
    expect(2, 2000, 4, 0, 0, 0);
}

static void held_mail_is_received_with_its_octets_and_once(void **state)
{
    (void)state;
    create("A1");
    move(QUEUE_INCOMING, QUEUE_HOLD, "A1");
    expect(1, 1000, 2, 0, 0, 0);
    move_in(QUEUE_ACTIVE, "A1"); /* released: it comes by deferred */
    remove_file(QUEUE_ACTIVE, "A1");
    expect(1, 1000, 2, 1, 1000, 2);
    move_in(QUEUE_HOLD, "B12"); /* from deferred */
    remove_file(QUEUE_HOLD, "B12");
    expect(1, 1000, 2, 1, 1000, 2);
}

static void a_file_that_is_gone_before_it_is_read_counts_without_octets(void **state)
{
    (void)state;
    gone = "A1";
    receive("A1");
    remove_file(QUEUE_ACTIVE, "A1");
    expect(1, 0, 0, 1, 0, 0);
    receive("B12");
    remove_file(QUEUE_ACTIVE, "B12");
    expect(2, 1000, 3, 2, 1000, 3);
}

static void what_was_active_before_leaves_with_its_octets(void **state)
{
    (void)state;
    look_at(QUEUE_ACTIVE, "A1");
    expect(0, 0, 0, 0, 0, 0);
    remove_file(QUEUE_ACTIVE, "A1");
    remove_file(QUEUE_ACTIVE, "B12"); /* it left before anybody looked */
    expect(0, 0, 0, 2, 1000, 2);
}

static void what_was_active_before_is_not_received_by_a_restart_of_the_queue_manager(void **state)
{
    (void)state;
    look_at(QUEUE_ACTIVE, "A1");
    move(QUEUE_ACTIVE, QUEUE_INCOMING, "A1");
    move(QUEUE_INCOMING, QUEUE_ACTIVE, "A1");
    move(QUEUE_ACTIVE, QUEUE_INCOMING, "B12"); /* not even seen */
    move(QUEUE_INCOMING, QUEUE_ACTIVE, "B12");
    expect(0, 0, 0, 0, 0, 0);
}

static void a_message_that_is_found_before_its_move_is_told_counts_once(void **state)
{
    (void)state;
    create("A1");
    look_at(QUEUE_ACTIVE, "A1");
    move(QUEUE_INCOMING, QUEUE_ACTIVE, "A1");
    expect(1, 1000, 2, 0, 0, 0);
    create("B12"); /* in a subfolder of active that was not watched yet */
    look_at(QUEUE_ACTIVE, "B12");
    move_out(QUEUE_INCOMING, "B12");
    expect(2, 2000, 5, 0, 0, 0);
}

static void after_lost_events_known_messages_stay_known(void **state)
{
    (void)state;
    receive("A1");
    receive("B12");
    move(QUEUE_ACTIVE, QUEUE_INCOMING, "B12");
    receive("C123");
    receive("D1234");
    flow_count_look_begin(&count);
    flow_count_found(&count, QUEUE_ACTIVE, "B12"); /* that it left incoming was lost */
    flow_count_found(&count, QUEUE_ACTIVE, "C123");
    flow_count_found(&count, QUEUE_ACTIVE, "E1");
    flow_count_found(&count, QUEUE_INCOMING, "D1234"); /* that it came back was lost */
    flow_count_found(&count, QUEUE_INCOMING, "F1");    /* a new one */
    flow_count_look_end(&count);
    assert_int_equal(reads, 5); /* each once */
    assert_int_equal(count.remembered, 4);
    move(QUEUE_INCOMING, QUEUE_ACTIVE, "D1234");
    expect(4, 4000, 14, 0, 0, 0);
    move(QUEUE_INCOMING, QUEUE_ACTIVE, "F1");
    expect(5, 5000, 16, 0, 0, 0);
    remove_file(QUEUE_ACTIVE, "B12");
    remove_file(QUEUE_ACTIVE, "E1");
    expect(5, 5000, 16, 2, 2000, 5);
}

static void a_message_that_came_back_and_is_found_active_is_not_received_again(void **state)
{
    (void)state;
    receive("A1");
    move(QUEUE_ACTIVE, QUEUE_INCOMING, "A1");
    look_at(QUEUE_ACTIVE, "A1"); /* events are still under way */
    move(QUEUE_INCOMING, QUEUE_ACTIVE, "A1");
    expect(1, 1000, 2, 0, 0, 0);
}

static void a_message_that_moves_while_folders_are_read_is_remembered_once(void **state)
{
    (void)state;
    receive("A1");
    flow_count_look_begin(&count);
    flow_count_found(&count, QUEUE_ACTIVE, "A1");
    flow_count_found(&count, QUEUE_INCOMING, "A1");
    flow_count_look_end(&count);
    assert_int_equal(count.remembered, 1);
    move(QUEUE_ACTIVE, QUEUE_INCOMING, "A1");
    move(QUEUE_INCOMING, QUEUE_ACTIVE, "A1");
    expect(1, 1000, 2, 0, 0, 0);
}

static void moves_that_go_on_at_once_are_told_apart(void **state)
{
    char name[16];

    (void)state;
    for (uint32_t i = 1; i <= FLOW_COUNT_MOVES; i++) {
        snprintf(name, sizeof name, "A%u", i);
        tell(FLOW_MOVED_FROM, i % 2 ? QUEUE_INCOMING : QUEUE_ACTIVE, i, name);
    }
    for (uint32_t i = FLOW_COUNT_MOVES; i >= 1; i--) {
        snprintf(name, sizeof name, "A%u", i);
        tell(FLOW_MOVED_TO, i % 2 ? QUEUE_ACTIVE : QUEUE_INCOMING, i, name);
    }
    assert_int_equal(count.total.received_messages, FLOW_COUNT_MOVES / 2);
    assert_int_equal(count.total.received_octets, FLOW_COUNT_MOVES / 2 * 1000);
    assert_int_equal(count.remembered, FLOW_COUNT_MOVES);
}

static void foreign_files_do_not_count(void **state)
{
    (void)state;
    move(QUEUE_INCOMING, QUEUE_ACTIVE, "note.txt");
    move(QUEUE_INCOMING, QUEUE_ACTIVE, "");
    remove_file(QUEUE_ACTIVE, "note.txt");
    expect(0, 0, 0, 0, 0, 0);
}

static void what_has_no_room_leaves_without_octets(void **state)
{
    char name[16];

    (void)state;
    for (int i = 0; i <= FLOW_COUNT_REMEMBERED_MAX; i++) {
        snprintf(name, sizeof name, "%08X", (unsigned)i);
        receive(name);
    }
    assert_int_equal(count.remembered, FLOW_COUNT_REMEMBERED_MAX);
    remove_file(QUEUE_ACTIVE, name);
    assert_int_equal(count.total.left_messages, 1);
    assert_int_equal(count.total.left_octets, 0);
    look_at_nothing();
    assert_int_equal(count.remembered, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_message_is_received_when_it_becomes_active_and_leaves_when_it_is_deleted),
        TEST(a_message_that_a_client_breaks_off_is_not_received),
        TEST(a_deferred_message_is_received_once_and_leaves_once),
        TEST(a_restarted_queue_manager_receives_nothing_again),
        TEST(what_an_operator_deletes_of_messages_that_came_back_is_forgotten),
        TEST(held_mail_is_received_with_its_octets_and_once),
        TEST(a_file_that_is_gone_before_it_is_read_counts_without_octets),
        TEST(what_was_active_before_leaves_with_its_octets),
        TEST(what_was_active_before_is_not_received_by_a_restart_of_the_queue_manager),
        TEST(a_message_that_is_found_before_its_move_is_told_counts_once),
        TEST(after_lost_events_known_messages_stay_known),
        TEST(a_message_that_came_back_and_is_found_active_is_not_received_again),
        TEST(a_message_that_moves_while_folders_are_read_is_remembered_once),
        TEST(moves_that_go_on_at_once_are_told_apart),
        TEST(foreign_files_do_not_count),
        TEST(what_has_no_room_leaves_without_octets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
