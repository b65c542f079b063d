/* test_limit - never more than the limit at once, and no place is lost */
#include "milter/limit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "tests/unit/unit.h"

enum { THREADS = 8, ROUNDS = 20000, PLACES = 3 };

static _Atomic int inside;
static _Atomic int highest;
static _Atomic int entered;

static void all_places_and_no_more_can_be_taken(void **state)
{
    (void)state;
    for (int n = 0; n < PLACES; n++)
        assert_true(limit_enter(PLACES));
    assert_false(limit_enter(PLACES));
    limit_leave();
    assert_true(limit_enter(PLACES));
    assert_false(limit_enter(PLACES));
    for (int n = 0; n < PLACES; n++)
        limit_leave();
}

static void another_limit_counts_from_the_next_one_on(void **state)
{
    (void)state;
    for (int n = 0; n < PLACES; n++)
        assert_true(limit_enter(PLACES));
    assert_false(limit_enter(PLACES - 1)); /* who is in stays */
    assert_true(limit_enter(PLACES + 1));
    for (int n = 0; n < PLACES + 1; n++)
        limit_leave();
    assert_true(limit_enter(1));
    assert_false(limit_enter(1));
    limit_leave();
}

static void *come_and_go(void *arg)
{
    for (int n = 0; n < ROUNDS; n++) {
        int now, seen = atomic_load(&highest);

        if (!limit_enter(PLACES))
            continue;
        now = atomic_fetch_add(&inside, 1) + 1;
        atomic_fetch_add(&entered, 1);
        while (now > seen && !atomic_compare_exchange_weak(&highest, &seen, now))
            ;
        atomic_fetch_sub(&inside, 1);
        limit_leave();
    }
    return arg;
}

static void many_threads_at_once_keep_the_count_exact(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    for (size_t n = 0; n < THREADS; n++)
        assert_int_equal(pthread_create(&threads[n], NULL, come_and_go, NULL), 0);
    for (size_t n = 0; n < THREADS; n++)
        assert_int_equal(pthread_join(threads[n], NULL), 0);
    assert_true(atomic_load(&entered) > 0);
    assert_in_range(atomic_load(&highest), 1, PLACES);
    all_places_and_no_more_can_be_taken(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_places_and_no_more_can_be_taken),
        cmocka_unit_test(another_limit_counts_from_the_next_one_on),
        cmocka_unit_test(many_threads_at_once_keep_the_count_exact),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
