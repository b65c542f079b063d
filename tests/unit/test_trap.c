/* test_trap - events of alarms as notifications, and how they wait for somebody to send them */
#include "snmp/trap.h"

#include "snmp/notices.h"
#include "tests/unit/unit.h"

static void expect_trap(const struct alarm_event *event, uint32_t notification, const char *trigger,
                        const struct mib_oid *object, uint32_t value)
{
    struct trap trap;
    const struct mib_oid name = {{88, 2, 0, notification}, 4};

    trap_make(event, &trap);
    assert_memory_equal(&trap.notification, &name, sizeof name);
    assert_string_equal(trap.trigger, trigger);
    assert_memory_equal(&trap.object, object, sizeof *object);
    assert_int_equal(trap.value, value);
    assert_int_equal(trap.group.len != 0, event->alarm.kind == ALARM_OVER);
}

static void traps_rise_and_fall(void **state)
{
    const struct mib_oid status = {{27, 1, 1, 6, 66}, 5};
    const struct mib_oid messages = {{28, 2, 1, 4, 6, 3}, 6}, age = {{28, 2, 1, 12, 6, 3}, 6};
    const struct mib_oid urgent_age = {{28, 2, 1, 12, 68, 3}, 6};
    struct alarm_event event = {.alarm = {.number = MONITORED_MILTER}, .begins = true};
    struct trap trap;

    (void)state;
    expect_trap(&event, 2, "applOperStatus", &status, 2);
    event.begins = false;
    expect_trap(&event, 3, "applOperStatus", &status, 1);
    event.is_gone = true;
    expect_trap(&event, 3, "applOperStatus", &status, 0);
    event = (struct alarm_event){.alarm = {ALARM_OVER, 4, QUEUE_DEFERRED, LIMIT_MESSAGES},
                                 .begins = true,
                                 .value = 1001,
                                 .limit_value = 1000};
    expect_trap(&event, 2, "QUEUE_LIMIT", &messages, 1001);
    trap_make(&event, &trap);
    assert_string_equal(trap.name_text, "postfix4");
    assert_string_equal(trap.group_text, "deferred");
    event.value = INT64_MAX;
    expect_trap(&event, 2, "QUEUE_LIMIT", &messages, INT32_MAX);
    event.alarm.limit = LIMIT_AGE;
    expect_trap(&event, 2, "QUEUE_AGE_LIMIT", &age, INT32_MAX);
    event.value = 61;
    expect_trap(&event, 2, "QUEUE_AGE_LIMIT", &age, 6100);
    event.alarm.number = PEG_URGENT;
    expect_trap(&event, 2, "QUEUE_AGE_LIMIT", &urgent_age, 6100);
    trap_make(&event, &trap);
    assert_string_equal(trap.name_text, "postfix-urgent");
}

static void notices_of_all_parts_have_room(void **state)
{
    struct notices *notices = notices_new();
    struct alarm_event taken;

    (void)state;
    assert_non_null(notices);
    for (int n = PEG_FIRST; n < MONITORED_END; n++) {
        const struct alarm_event down = {.alarm = {.number = n}, .begins = true};

        notices_put(notices, &down);
    }
    for (int n = PEG_FIRST; n < MONITORED_END; n++) {
        assert_true(notices_take(notices, &taken));
        assert_int_equal(taken.alarm.number, n);
    }
    assert_false(notices_take(notices, &taken));
    notices_free(&notices);
}

static void notices_wait_and_those_that_came_and_went_are_dropped(void **state)
{
    struct notices *notices = notices_new();
    struct alarm_event down = {.alarm = {.number = 4}, .begins = true};
    struct alarm_event over = {.alarm = {ALARM_OVER, 4, QUEUE_HOLD, LIMIT_AGE}, .begins = true};
    struct alarm_event taken;

    (void)state;
    assert_non_null(notices);
    assert_false(notices_take(notices, &taken));
    notices_put(notices, &down);
    notices_put(notices, &over);
    down.begins = false;
    notices_put(notices, &down);
    assert_true(notices_take(notices, &taken)); /* late, and still true */
    assert_int_equal(taken.alarm.kind, ALARM_OVER);
    assert_false(notices_take(notices, &taken));
    over.begins = false;
    notices_put(notices, &over);
    over.begins = true;
    over.value = 7;
    notices_put(notices, &over);
    assert_false(notices_take(notices, &taken)); /* nobody heard that it was over */
    over.begins = false;
    notices_put(notices, &over);
    assert_true(notices_take(notices, &taken));
    assert_false(taken.begins);
    assert_false(notices_take(notices, &taken));
    notices_free(&notices);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traps_rise_and_fall),
        cmocka_unit_test(notices_of_all_parts_have_room),
        cmocka_unit_test(notices_wait_and_those_that_came_and_went_are_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
