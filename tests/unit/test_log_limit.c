/* test_log_limit - what goes to the log, and how much is told of what does not */
#include "lib/log_limit.h"

#include "tests/unit/unit.h"

enum { UNTOUCHED = 12345 };

static void the_first_event_passes_at_any_time(void **state)
{
    static const int64_t times_ms[] = {0, 1, LOG_LIMIT_INTERVAL_MS - 1, INT64_MAX};

    (void)state;
    for (size_t i = 0; i < LENGTH(times_ms); i++) {
        struct log_limit limit = {0};
        uint64_t held_back = UNTOUCHED;

        assert_true(log_limit_pass(&limit, times_ms[i], &held_back));
        assert_int_equal(held_back, 0);
    }
}

static void the_next_passes_after_a_minute_and_says_how_many_did_not(void **state)
{
    struct log_limit limit = {0};
    uint64_t held_back;
    int64_t now_ms = 1000;

    (void)state;
    assert_true(log_limit_pass(&limit, now_ms, &held_back));
    for (uint64_t round = 0; round < 3; round++) {
        held_back = UNTOUCHED;
        for (uint64_t i = 0; i < round; i++)
            assert_false(log_limit_pass(&limit, now_ms + (int64_t)i, &held_back));
        now_ms += 60 * 1000;
        assert_false(log_limit_pass(&limit, now_ms - 1, &held_back));
        assert_int_equal(held_back, UNTOUCHED);
        assert_true(log_limit_pass(&limit, now_ms, &held_back));
        assert_int_equal(held_back, round + 1);
    }
}

static void after_a_long_silence_nothing_was_held_back(void **state)
{
    struct log_limit limit = {0};
    uint64_t held_back = UNTOUCHED;

    (void)state;
    assert_true(log_limit_pass(&limit, 0, &held_back));
    assert_true(log_limit_pass(&limit, 3600 * 1000, &held_back));
    assert_int_equal(held_back, 0);
}

static void kinds_of_events_do_not_hold_each_other_back(void **state)
{
    struct log_limit one = {0}, other = {0};
    uint64_t held_back;

    (void)state;
    assert_true(log_limit_pass(&one, 5, &held_back));
    assert_true(log_limit_pass(&other, 5, &held_back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_event_passes_at_any_time),
        cmocka_unit_test(the_next_passes_after_a_minute_and_says_how_many_did_not),
        cmocka_unit_test(after_a_long_silence_nothing_was_held_back),
        cmocka_unit_test(kinds_of_events_do_not_hold_each_other_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
