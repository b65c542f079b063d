/* test_misses - which answers may still stand in a cache of Postfix */
#include "table/misses.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

enum { CACHED_MS = 35000, OVER_MS = 35001 };

static const int64_t DAY_MS = INT64_C(86400) * 1000;

static int make_misses(void **state)
{
    *state = calloc(1, sizeof(struct misses));
    return *state == NULL;
}

static int drop_misses(void **state)
{
    free(*state);
    return 0;
}

static void without_a_miss_nothing_is_contradicted(void **state)
{
    assert_false(misses_contradict(*state, 1, 4, 0));
    assert_false(misses_contradict(*state, 1, 0, CACHED_MS));
    assert_false(misses_contradict(*state, 1, 0, 1000 * DAY_MS));
}

static void a_miss_contradicts_other_priorities_as_long_as_it_is_cached(void **state)
{
    for (int64_t noted_ms = 0; noted_ms < 5000; noted_ms += 250) {
        uint64_t hash = (uint64_t)noted_ms;

        misses_note(*state, hash, 2, noted_ms);
        assert_true(misses_contradict(*state, hash, 4, noted_ms));
        assert_true(misses_contradict(*state, hash, 0, noted_ms + CACHED_MS));
        assert_false(misses_contradict(*state, hash, 4, noted_ms + OVER_MS));
        assert_false(misses_contradict(*state, hash, 2, noted_ms));
        assert_false(misses_contradict(*state, hash, 2, noted_ms + CACHED_MS));
        assert_false(misses_contradict(*state, hash + 1, 4, noted_ms));
    }
}

static void every_priority_can_be_noted(void **state)
{
    for (int priority = 0; priority < MISSES_ANY_PRIORITY; priority++) {
        misses_note(*state, (uint64_t)priority, priority, 0);
        for (int claimed = 0; claimed < MISSES_ANY_PRIORITY; claimed++)
            assert_int_equal(misses_contradict(*state, (uint64_t)priority, claimed, 0),
                             claimed != priority);
    }
}

static void what_is_not_known_contradicts_everything(void **state)
{
    misses_note(*state, 1, MISSES_ANY_PRIORITY, 1000);
    for (int priority = 0; priority < MISSES_ANY_PRIORITY; priority++) {
        assert_true(misses_contradict(*state, 1, priority, 1000 + CACHED_MS));
        assert_false(misses_contradict(*state, 1, priority, 1000 + OVER_MS));
    }
}

static void different_answers_contradict_everything(void **state)
{
    misses_note(*state, 1, 2, 1000);
    misses_note(*state, 1, 4, 31000);
    for (int priority = 0; priority < 5; priority++) {
        assert_true(misses_contradict(*state, 1, priority, 31000));
        assert_true(misses_contradict(*state, 1, priority, 31000 + CACHED_MS));
        assert_false(misses_contradict(*state, 1, priority, 31000 + OVER_MS));
    }
    misses_note(*state, 1, 4, 31000 + OVER_MS); /* none of them counts any more */
    assert_false(misses_contradict(*state, 1, 4, 31000 + OVER_MS));
    assert_true(misses_contradict(*state, 1, 2, 31000 + OVER_MS));
}

static void keys_that_share_a_place_look_like_one(void **state)
{
    misses_note(*state, 7, 2, 1000);
    assert_true(misses_contradict(*state, 7 + MISSES_PLACES, 4, 1000));
    misses_note(*state, 7 + MISSES_PLACES, 4, 1000);
    assert_true(misses_contradict(*state, 7, 2, 1000));
}

static void the_same_answer_again_lasts_longer(void **state)
{
    misses_note(*state, 1, 2, 1000);
    misses_note(*state, 1, 2, 31000);
    assert_true(misses_contradict(*state, 1, 4, 31000 + CACHED_MS));
    assert_false(misses_contradict(*state, 1, 2, 31000));
}

/* Of a slow reader, or noted for what happened before. */
static void a_late_note_of_an_earlier_answer_does_not_hide_a_later_one(void **state)
{
    static const int64_t late_ms[] = {1,     1000,        34000,       36000,       59000,
                                      61000, 3500 * 1000, 4000 * 1000, 86400 * 1000};
    const int64_t noted_ms = 2 * DAY_MS;
    uint64_t hash = 0;

    for (size_t n = 0; n < LENGTH(late_ms); n++)
        for (int late = 0; late < 2; late++) {
            int priority = late == 0 ? 2 : MISSES_ANY_PRIORITY;

            hash++;
            misses_note(*state, hash, 2, noted_ms);
            misses_note(*state, hash, priority, noted_ms - late_ms[n]);
            assert_true(misses_contradict(*state, hash, 4, noted_ms + CACHED_MS));
            assert_false(misses_contradict(*state, hash, 4, noted_ms + OVER_MS));
            assert_int_equal(misses_contradict(*state, hash, 2, noted_ms), late);
        }
}

static void a_reader_may_have_looked_at_the_clock_later(void **state)
{
    misses_note(*state, 1, 2, 10000);
    assert_true(misses_contradict(*state, 1, 4, 1000));
    assert_false(misses_contradict(*state, 1, 2, 1000));
}

static void answers_of_long_ago_count_no_more(void **state)
{
    uint64_t hash = 0;

    for (int64_t now_ms = DAY_MS; now_ms < 10000 * DAY_MS; now_ms *= 3)
        for (int64_t age_ms = OVER_MS; age_ms <= now_ms; age_ms = age_ms * 3 / 2) {
            hash++;
            misses_note(*state, hash, 2, now_ms - age_ms);
            assert_false(misses_contradict(*state, hash, 4, now_ms));
            misses_note(*state, hash, 4, now_ms); /* which it neither hides nor makes doubtful */
            assert_false(misses_contradict(*state, hash, 4, now_ms + CACHED_MS));
            assert_true(misses_contradict(*state, hash, 2, now_ms + CACHED_MS));
        }
    assert_true(hash < MISSES_PLACES);
}

enum { THREADS = 2, ROUNDS = 20000 };

static struct misses *shared;
static _Atomic unsigned arrived;

/* All threads note at one place at one time, and go on to the next together. */
static void *note_in_thread(void *arg)
{
    int priority = *(const int *)arg;

    for (unsigned n = 0; n < ROUNDS; n++) {
        atomic_fetch_add(&arrived, 1);
        for (unsigned spins = 1; atomic_load(&arrived) < (n + 1) * THREADS; spins++)
            if (spins % 1024 == 0)
                sched_yield();
        misses_note(shared, n, priority, 1000);
    }
    return NULL;
}

static void notes_of_several_threads_are_all_kept(void **state)
{
    pthread_t threads[THREADS];
    int priorities[THREADS];

    shared = *state;
    for (int n = 0; n < THREADS; n++) {
        priorities[n] = n;
        assert_int_equal(pthread_create(&threads[n], NULL, note_in_thread, &priorities[n]), 0);
    }
    for (int n = 0; n < THREADS; n++)
        pthread_join(threads[n], NULL);
    for (uint64_t n = 0; n < ROUNDS; n++)
        for (int priority = 0; priority < THREADS; priority++)
            assert_true(misses_contradict(shared, n, priority, 1000));
}

#define WITH_MISSES(test) cmocka_unit_test_setup_teardown(test, make_misses, drop_misses)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_MISSES(without_a_miss_nothing_is_contradicted),
        WITH_MISSES(a_miss_contradicts_other_priorities_as_long_as_it_is_cached),
        WITH_MISSES(every_priority_can_be_noted),
        WITH_MISSES(what_is_not_known_contradicts_everything),
        WITH_MISSES(different_answers_contradict_everything),
        WITH_MISSES(keys_that_share_a_place_look_like_one),
        WITH_MISSES(the_same_answer_again_lasts_longer),
        WITH_MISSES(a_late_note_of_an_earlier_answer_does_not_hide_a_later_one),
        WITH_MISSES(a_reader_may_have_looked_at_the_clock_later),
        WITH_MISSES(answers_of_long_ago_count_no_more),
        WITH_MISSES(notes_of_several_threads_are_all_kept),
    };

    return cmocka_run_group_tests_name("misses", tests, NULL, NULL);
}
