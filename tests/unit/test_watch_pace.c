/* test_watch_pace - when the view looks again, and how closely */
#include "showqueues/watch_pace.h"

#include "tests/unit/unit.h"

static void the_first_look_is_quick_and_details_follow_it_at_once(void **state)
{
    struct watch_pace pace = {.interval_ms = 2000};

    (void)state;
    assert_int_equal(watch_pace_detail(&pace, 100000), SURVEY_COUNTS);
    watch_pace_took(&pace, SURVEY_COUNTS, 100000, 100100);
    assert_int_equal(pace.due_ms, 100100);
    assert_int_equal(watch_pace_detail(&pace, 100100), SURVEY_DETAILS);
}

static void what_costs_little_is_done_at_each_interval(void **state)
{
    struct watch_pace pace = {.interval_ms = 2000};

    (void)state;
    watch_pace_took(&pace, SURVEY_COUNTS, 99999, 100000);
    for (int64_t now_ms = 100000; now_ms < 200000; now_ms = pace.due_ms) {
        assert_true(pace.due_ms <= now_ms);
        assert_int_equal(watch_pace_detail(&pace, now_ms), SURVEY_DETAILS);
        watch_pace_took(&pace, SURVEY_DETAILS, now_ms, now_ms + 50);
        assert_int_equal(pace.due_ms, now_ms + 2000);
    }
}

static void details_that_take_long_take_a_tenth_of_the_time(void **state)
{
    struct watch_pace pace = {.interval_ms = 2000};

    (void)state;
    watch_pace_took(&pace, SURVEY_DETAILS, 0, 10000);
    assert_int_equal(pace.due_ms, 10000);
    assert_int_equal(watch_pace_detail(&pace, 99999), SURVEY_COUNTS);
    watch_pace_took(&pace, SURVEY_COUNTS, 10000, 10100);
    assert_int_equal(pace.due_ms, 12000);
    assert_int_equal(watch_pace_detail(&pace, 100000), SURVEY_DETAILS);
}

static void counts_that_take_long_take_a_quarter_of_the_time(void **state)
{
    struct watch_pace pace = {.interval_ms = 2000};

    (void)state;
    watch_pace_took(&pace, SURVEY_DETAILS, 0, 1000);
    watch_pace_took(&pace, SURVEY_COUNTS, 1000, 3000);
    assert_int_equal(pace.due_ms, 9000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_look_is_quick_and_details_follow_it_at_once),
        cmocka_unit_test(what_costs_little_is_done_at_each_interval),
        cmocka_unit_test(details_that_take_long_take_a_tenth_of_the_time),
        cmocka_unit_test(counts_that_take_long_take_a_quarter_of_the_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
