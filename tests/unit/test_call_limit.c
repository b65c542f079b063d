/* test_call_limit - in any minute at most so many calls, whatever the clock says */
#include "bounce/call_limit.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

static void the_first_calls_may_be_made_at_once(void **state)
{
    struct call_limit limit = {.held_back = 0};

    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(call_limit_wait_ms(&limit, 10, 5000), 0);
        call_limit_note(&limit, 5000);
    }
    assert_int_equal(call_limit_wait_ms(&limit, 10, 5000), CALL_LIMIT_WINDOW_MS);
    assert_int_equal(call_limit_wait_ms(&limit, 10, 5000 + 59999), 1);
    assert_int_equal(call_limit_wait_ms(&limit, 10, 5000 + 60000), 0);
}

static void the_next_may_be_made_when_the_oldest_is_a_minute_old(void **state)
{
    struct call_limit limit = {.held_back = 0};

    (void)state;
    call_limit_note(&limit, 1000);
    call_limit_note(&limit, 31000);
    assert_int_equal(call_limit_wait_ms(&limit, 2, 40000), 21000);
    assert_int_equal(call_limit_wait_ms(&limit, 2, 61000), 0);
    call_limit_note(&limit, 61000);
    assert_int_equal(call_limit_wait_ms(&limit, 2, 61000), 30000);
}

static void another_number_counts_from_the_next_call_on(void **state)
{
    struct call_limit limit = {.held_back = 0};

    (void)state;
    for (int i = 0; i < 5; i++)
        call_limit_note(&limit, 1000 + i);
    assert_int_equal(call_limit_wait_ms(&limit, 6, 2000), 0);
    assert_int_equal(call_limit_wait_ms(&limit, 1, 2000), 59004);
    assert_int_equal(call_limit_wait_ms(&limit, 5, 2000), 59000);
}

static void calls_from_the_future_do_not_hold_up_any(void **state)
{
    struct call_limit limit = {.held_back = 0};

    (void)state;
    call_limit_note(&limit, 900000); /* before a reboot */
    assert_int_equal(call_limit_wait_ms(&limit, 1, 100), 0);
    call_limit_note(&limit, 100);
    assert_int_equal(call_limit_wait_ms(&limit, 1, 200), 59900);
}

/* Bounces at random times: never more than so many calls in a minute, and no needless wait. */
static void no_minute_has_more_calls(void **state)
{
    enum { CALLS = 20000 };
    static int64_t called_ms[CALLS];

    (void)state;
    for (int calls = 1; calls <= CALL_LIMIT_MAX; calls = calls * 10) {
        struct call_limit limit = {.held_back = 0};
        int64_t now_ms = 1;
        int count = 0;

        srand(1);
        while (count < CALLS) {
            now_ms += rand() % (2 * CALL_LIMIT_WINDOW_MS / calls);
            bool may = call_limit_wait_ms(&limit, calls, now_ms) == 0;
            bool has_room =
                count < calls || now_ms - called_ms[count - calls] >= CALL_LIMIT_WINDOW_MS;

            assert_true(may == has_room);
            if (may) {
                call_limit_note(&limit, now_ms);
                called_ms[count++] = now_ms;
            }
            assert_true(call_limit_is_sound(&limit));
        }
    }
}

static void nonsense_is_known(void **state)
{
    struct call_limit limit = {.next = CALL_LIMIT_MAX};

    (void)state;
    assert_false(call_limit_is_sound(&limit));
    limit = (struct call_limit){.count = CALL_LIMIT_MAX + 1};
    assert_false(call_limit_is_sound(&limit));
    limit = (struct call_limit){.count = CALL_LIMIT_MAX};
    assert_true(call_limit_is_sound(&limit));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_calls_may_be_made_at_once),
        cmocka_unit_test(the_next_may_be_made_when_the_oldest_is_a_minute_old),
        cmocka_unit_test(another_number_counts_from_the_next_call_on),
        cmocka_unit_test(calls_from_the_future_do_not_hold_up_any),
        cmocka_unit_test(no_minute_has_more_calls),
        cmocka_unit_test(nonsense_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
