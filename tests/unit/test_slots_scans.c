/* test_slots_scans - what is kept until Postfix's queue was looked into, and what is not known */
#include "table/slots.h"

#include "tests/unit/slots_fixture.h"
#include "tests/unit/unit.h"

static void an_expired_claim_is_not_taken_over_before_two_scans(void **state)
{
    const int64_t late_ms = 10 * LIFETIME_MS;
    struct slots slots = slots_make(10);

    (void)state;
    assert_int_equal(claim(&slots, 1, 4, 1000), TABLE_CLAIMED);
    assert_int_equal(claim(&slots, 1, 0, late_ms), TABLE_CONFLICT);
    slots_scanned(&slots, 500, CLEAN); /* both began before its last use */
    slots_scanned(&slots, 1000, CLEAN);
    assert_int_equal(claim(&slots, 1, 0, late_ms), TABLE_CONFLICT);
    slots_scanned(&slots, 1001, CLEAN);
    assert_int_equal(claim(&slots, 1, 0, late_ms), TABLE_CONFLICT);
    slots_scanned(&slots, 2000, CLEAN);
    assert_int_equal(claim(&slots, 1, 0, late_ms), TABLE_CLAIMED);
    slots_drop(&slots);
}

/* Whether mail was found without a claim is of no concern for the claims that are there. */
static void unclean_scans_count_for_what_they_refreshed(void **state)
{
    struct slots slots = slots_make(10);

    (void)state;
    assert_int_equal(claim(&slots, 1, 4, 1000), TABLE_CLAIMED);
    slots_scanned(&slots, 2000, UNCLEAN);
    slots_scanned(&slots, 3000, UNCLEAN);
    assert_int_equal(claim(&slots, 1, 0, 10 * LIFETIME_MS), TABLE_CLAIMED);
    slots_drop(&slots);
}

static void what_a_scan_refreshes_stays(void **state)
{
    struct slots slots = slots_make(10);
    int64_t now_ms = 1000;

    (void)state;
    assert_int_equal(claim(&slots, 1, 4, now_ms), TABLE_CLAIMED);
    for (int n = 0; n < 10; n++) { /* mail on hold, for long */
        now_ms += 5 * LIFETIME_MS;
        assert_int_equal(refresh(&slots, 1, now_ms + 10), 1);
        slots_scanned(&slots, now_ms, CLEAN);
        assert_int_equal(claim(&slots, 1, 0, now_ms + 2 * LIFETIME_MS), TABLE_CONFLICT);
    }
    slots_scanned(&slots, now_ms + 10, CLEAN); /* one that it escaped */
    assert_int_equal(claim(&slots, 1, 0, now_ms + 2 * LIFETIME_MS), TABLE_CONFLICT);
    slots_scanned(&slots, now_ms + 11, CLEAN);
    assert_int_equal(claim(&slots, 1, 0, now_ms + 2 * LIFETIME_MS), TABLE_CONFLICT);
    slots_scanned(&slots, now_ms + 12, CLEAN); /* ... and the second: the mail is gone */
    assert_int_equal(claim(&slots, 1, 0, now_ms + 2 * LIFETIME_MS), TABLE_CLAIMED);
    slots_drop(&slots);
}

static void expired_claims_are_not_swept_before_two_scans(void **state)
{
    const int64_t late_ms = 10 * LIFETIME_MS;
    struct slots slots = slots_make(20);

    (void)state;
    for (unsigned key = 0; key < 20; key++)
        assert_int_equal(claim(&slots, key, (int)key % 5, 1000), TABLE_CLAIMED);
    for (int scans = 0; scans < 2; scans++) {
        for (unsigned key = 20; key < 40; key++)
            assert_int_equal(claim(&slots, key, 1, late_ms), TABLE_FULL);
        for (unsigned key = 0; key < 20; key++)
            assert_int_equal(peek(&slots, key), key % 5);
        slots_scanned(&slots, 2000 + scans, CLEAN);
    }
    assert_int_equal(refresh(&slots, 3, 2010), 1); /* by the second scan */
    for (unsigned key = 20; key < 39; key++)
        assert_int_equal(claim(&slots, key, 1, late_ms), TABLE_CLAIMED);
    assert_int_equal(claim(&slots, 39, 1, late_ms), TABLE_FULL);
    for (unsigned key = 0; key < 20; key++)
        assert_int_equal(peek(&slots, key), key == 3 ? 3 : NONE);
    slots_drop(&slots);
}

static void a_scan_is_asked_for_when_that_is_what_is_lacking(void **state)
{
    const int64_t late_ms = 10 * LIFETIME_MS;
    struct slots slots = slots_make(10);

    (void)state;
    assert_int_equal(claim(&slots, 1, 4, 1000), TABLE_CLAIMED);
    assert_false(wants_scan(&slots));
    assert_int_equal(claim(&slots, 1, 0, 1000 + LIFETIME_MS), TABLE_CONFLICT); /* it lives */
    assert_false(wants_scan(&slots));
    assert_int_equal(claim(&slots, 2, 4, late_ms), TABLE_CLAIMED); /* there is room */
    assert_false(wants_scan(&slots));
    assert_int_equal(claim(&slots, 1, 4, 1001), TABLE_CLAIMED); /* that is what it says */
    assert_false(wants_scan(&slots));
    for (int scans = 0; scans < 2; scans++) {
        assert_int_equal(claim(&slots, 1, 0, late_ms), TABLE_CONFLICT);
        assert_true(wants_scan(&slots));
        slots_scanned(&slots, 2000 + scans, CLEAN);
        assert_false(wants_scan(&slots));
    }
    assert_int_equal(claim(&slots, 1, 0, late_ms), TABLE_CLAIMED);
    assert_false(wants_scan(&slots));
    slots_drop(&slots);
}

static void a_scan_is_asked_for_when_room_could_be_had(void **state)
{
    const int64_t late_ms = 10 * LIFETIME_MS;
    struct slots slots = slots_make(10);

    (void)state;
    for (unsigned key = 0; key < 6; key++)
        assert_int_equal(claim(&slots, key, 1, 1000), TABLE_CLAIMED);
    assert_int_equal(claim(&slots, 6, 1, 1000), TABLE_CLAIMED); /* beyond half, and all live */
    assert_false(wants_scan(&slots));
    assert_int_equal(claim(&slots, 7, 1, late_ms), TABLE_CLAIMED);
    assert_true(wants_scan(&slots));
    slots_scanned(&slots, 2000, CLEAN);
    assert_int_equal(claim(&slots, 8, 1, late_ms), TABLE_CLAIMED);
    assert_true(wants_scan(&slots));
    slots_scanned(&slots, 3000, CLEAN);
    assert_int_equal(claim(&slots, 9, 1, late_ms), TABLE_CLAIMED);
    assert_false(wants_scan(&slots));
    assert_int_equal(peek(&slots, 0), NONE);
    slots_drop(&slots);
}

static unsigned unsure(const struct slots *slots)
{
    return atomic_load(&slots->shared->unsure);
}

static void two_clean_scans_in_a_row_end_doubts(void **state)
{
    struct slots slots = slots_make(10);

    (void)state;
    slots_scanned(&slots, 500, UNCLEAN); /* makes none */
    assert_int_equal(unsure(&slots), 0);
    slots_be_unsure(&slots);
    assert_true(wants_scan(&slots));
    assert_true(unsure(&slots) > 0);
    slots_scanned(&slots, 1000, CLEAN);
    assert_true(unsure(&slots) > 0);
    slots_scanned(&slots, 2000, UNCLEAN);
    slots_scanned(&slots, 3000, CLEAN);
    assert_true(unsure(&slots) > 0);
    slots_scanned(&slots, 4000, CLEAN);
    assert_int_equal(unsure(&slots), 0);
    slots_scanned(&slots, 5000, CLEAN);
    slots_scanned(&slots, 6000, UNCLEAN);
    assert_int_equal(unsure(&slots), 0);
    slots_drop(&slots);
}

enum { MADE_MS = 100000 };

/* A table made at MADE_MS in the place of another, with a claim on key 1 from what was on disk. */
static struct slots make_successor(void)
{
    struct slots slots = slots_make(100);
    struct slots_hash hash = hash_of(1);

    assert_true(slots_set(&slots, &hash, 4, MADE_MS));
    atomic_store(&slots.shared->unknown_until_ms, MADE_MS);
    return slots;
}

static void what_a_predecessor_may_have_answered_is_not_relied_on(void **state)
{
    struct slots slots = make_successor();

    (void)state;
    for (int priority = 0; priority < 5; priority++) {
        unsigned key = 10 + (unsigned)priority, late = 20 + (unsigned)priority;

        assert_int_equal(claim(&slots, key, priority, MADE_MS - 1000), TABLE_TOO_EARLY);
        assert_int_equal(claim(&slots, key, priority, MADE_MS + 35000), TABLE_TOO_EARLY);
        assert_int_equal(claim(&slots, key, priority, MADE_MS + 35001), TABLE_CLAIMED);
        assert_int_equal(claim(&slots, late, priority, MADE_MS + 35000), TABLE_TOO_EARLY);
        assert_int_equal(claim(&slots, late, priority, MADE_MS + 35001), TABLE_CLAIMED);
        assert_int_equal(claim(&slots, late + 10, priority, MADE_MS + 35001), TABLE_CLAIMED);
        assert_int_equal(claim(&slots, late + 20, priority, MADE_MS + 61000), TABLE_CLAIMED);
        assert_int_equal(claim(&slots, late + 30, priority, INT64_C(400) * 86400 * 1000),
                         TABLE_CLAIMED);
    }
    slots_drop(&slots);
}

/* The predecessor may have freed it, and answered otherwise. */
static void a_recovered_claim_answers_before_it_is_relied_on(void **state)
{
    struct slots slots = make_successor();

    (void)state;
    assert_int_equal(claim(&slots, 1, 4, MADE_MS + 35000), TABLE_TOO_EARLY);
    assert_int_equal(look_up(&slots, 1, DEFAULT, MADE_MS + 35000), 4);
    assert_int_equal(claim(&slots, 1, 4, MADE_MS + 35001), TABLE_CLAIMED);
    assert_int_equal(claim(&slots, 1, 0, MADE_MS + 35001), TABLE_CONFLICT);
    slots_drop(&slots);
}

/* That something was not known before must not make a later miss look like an earlier one. */
static void a_miss_after_an_unknown_time_counts_in_full(void **state)
{
    struct slots slots = make_successor();
    static const int64_t claimed_ms[] = {1000,  20000, 34000, 36000,
                                         59000, 60000, 61000, 3600 * 1000};

    (void)state;
    for (unsigned n = 0; n < LENGTH(claimed_ms); n++) {
        int64_t now_ms = MADE_MS + claimed_ms[n];
        unsigned key = 10 + n;

        assert_int_equal(look_up(&slots, key, DEFAULT, now_ms), DEFAULT);
        assert_int_not_equal(claim(&slots, key, 4, now_ms), TABLE_CLAIMED);
        assert_int_equal(claim(&slots, key, 4, now_ms + 35000), TABLE_CONFLICT);
        assert_int_equal(claim(&slots, key, 4, now_ms + 35001), TABLE_CLAIMED);
    }
    slots_drop(&slots);
}

/* Nor does it make one doubtful, once it is over. */
static void a_miss_long_after_an_unknown_time_is_known(void **state)
{
    struct slots slots = make_successor();

    (void)state;
    assert_int_equal(look_up(&slots, 10, DEFAULT, MADE_MS + 36000), DEFAULT);
    assert_int_equal(claim(&slots, 10, DEFAULT, MADE_MS + 36000), TABLE_CLAIMED);
    slots_drop(&slots);
}

static void what_cannot_be_relied_on_takes_no_room(void **state)
{
    struct slots slots = make_successor();

    (void)state;
    assert_int_equal(claim(&slots, 10, 4, MADE_MS), TABLE_TOO_EARLY);
    assert_int_equal(look_up(&slots, 11, DEFAULT, MADE_MS + 36000), DEFAULT);
    assert_int_equal(claim(&slots, 11, 4, MADE_MS + 36000), TABLE_CONFLICT);
    assert_int_equal(peek(&slots, 10), NONE);
    assert_int_equal(peek(&slots, 11), NONE);
    assert_int_equal(atomic_load(&slots.shared->claims), 1);
    slots_drop(&slots);
}

static void a_table_without_predecessor_knows_all_answers(void **state)
{
    struct slots slots = slots_make(10);

    (void)state;
    assert_int_equal(claim(&slots, 1, 4, 0), TABLE_CLAIMED); /* however soon after boot */
    assert_int_equal(claim(&slots, 2, 1, 10000), TABLE_CLAIMED);
    slots_drop(&slots);
}

static void adopted_claims_keep_their_priority_and_age(void **state)
{
    struct slots from = slots_make(100), to = slots_make(300), small = slots_make(40);
    unsigned found = 0;

    (void)state;
    for (unsigned key = 0; key < 100; key++)
        assert_int_equal(claim(&from, key, (int)key % 5, 1000), TABLE_CLAIMED);
    assert_int_equal(slots_adopt(&to, &from), 0);
    for (unsigned key = 0; key < 100; key++)
        assert_int_equal(peek(&to, key), key % 5);
    slots_scanned(&to, 1001, CLEAN);
    slots_scanned(&to, 1002, CLEAN);
    assert_int_equal(claim(&to, 99, 0, 1000 + LIFETIME_MS), TABLE_CONFLICT);
    assert_int_equal(claim(&to, 99, 0, 1001 + LIFETIME_MS), TABLE_CLAIMED);

    assert_int_equal(slots_adopt(&small, &from), 60);
    for (unsigned key = 0; key < 100; key++) {
        int priority = peek(&small, key);

        assert_true(priority == NONE || priority == (int)key % 5);
        found += priority != NONE;
    }
    assert_int_equal(found, 40);
    slots_drop(&from);
    slots_drop(&to);
    slots_drop(&small);
}

/* A scan may have refreshed a claim after that was taken over. */
static void scans_of_an_adopted_table_do_not_count(void **state)
{
    struct slots from = slots_make(10), to = slots_make(10);

    (void)state;
    assert_int_equal(claim(&from, 1, 4, 1000), TABLE_CLAIMED);
    slots_scanned(&from, 2000, CLEAN);
    slots_scanned(&from, 3000, CLEAN);
    assert_int_equal(slots_adopt(&to, &from), 0);
    assert_int_equal(claim(&to, 1, 0, 10 * LIFETIME_MS), TABLE_CONFLICT);
    assert_true(wants_scan(&to));
    slots_scanned(&to, 4000, CLEAN);
    assert_int_equal(claim(&to, 1, 0, 10 * LIFETIME_MS), TABLE_CONFLICT);
    slots_scanned(&to, 5000, CLEAN);
    assert_int_equal(claim(&to, 1, 0, 10 * LIFETIME_MS), TABLE_CLAIMED);
    slots_drop(&from);
    slots_drop(&to);
}

static void all_else_is_adopted_too(void **state)
{
    struct slots from = slots_make(10), to = slots_make(10);

    (void)state;
    for (unsigned key = 0; key < 1000; key++)
        assert_int_equal(look_up(&from, key, DEFAULT, 1000), DEFAULT);
    for (size_t n = 0; n < TABLE_COUNTERS; n++)
        atomic_store(&from.shared->counters[n], 100 + n);
    slots_be_unsure(&from);
    slots_scanned(&from, 2000, CLEAN);
    atomic_store(&from.shared->unknown_until_ms, 500000);
    atomic_store(&from.shared->wanted, TABLE_WANT_COMPACT);
    assert_int_equal(slots_adopt(&to, &from), 0);
    for (uint64_t key = 0; key < 1000; key++)
        assert_true(misses_contradict(&to.shared->misses, key, 4, 1000));
    assert_false(misses_contradict(&to.shared->misses, 1001, 4, 1000));
    for (size_t n = 0; n < TABLE_COUNTERS; n++)
        assert_int_equal(atomic_load(&to.shared->counters[n]), 100 + n);
    assert_int_equal(atomic_load(&to.shared->wanted), TABLE_WANT_COMPACT);
    assert_int_equal(claim(&to, 1, DEFAULT, 500000), TABLE_TOO_EARLY);
    assert_true(unsure(&to) > 0);
    slots_scanned(&to, 3000, CLEAN); /* the second in a row */
    assert_int_equal(unsure(&to), 0);
    slots_drop(&from);
    slots_drop(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_expired_claim_is_not_taken_over_before_two_scans),
        cmocka_unit_test(unclean_scans_count_for_what_they_refreshed),
        cmocka_unit_test(what_a_scan_refreshes_stays),
        cmocka_unit_test(expired_claims_are_not_swept_before_two_scans),
        cmocka_unit_test(a_scan_is_asked_for_when_that_is_what_is_lacking),
        cmocka_unit_test(a_scan_is_asked_for_when_room_could_be_had),
        cmocka_unit_test(two_clean_scans_in_a_row_end_doubts),
        cmocka_unit_test(what_a_predecessor_may_have_answered_is_not_relied_on),
        cmocka_unit_test(a_recovered_claim_answers_before_it_is_relied_on),
        cmocka_unit_test(a_miss_after_an_unknown_time_counts_in_full),
        cmocka_unit_test(a_miss_long_after_an_unknown_time_is_known),
        cmocka_unit_test(what_cannot_be_relied_on_takes_no_room),
        cmocka_unit_test(a_table_without_predecessor_knows_all_answers),
        cmocka_unit_test(adopted_claims_keep_their_priority_and_age),
        cmocka_unit_test(scans_of_an_adopted_table_do_not_count),
        cmocka_unit_test(all_else_is_adopted_too),
    };

    return cmocka_run_group_tests_name("slots and scans", tests, NULL, NULL);
}
