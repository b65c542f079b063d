/* test_slots - the decision table's memory: claims, lookups, room */
#include "table/slots.h"

#include "tests/unit/slots_fixture.h"
#include "tests/unit/unit.h"

static void a_claim_is_found_with_its_priority(void **state)
{
    struct slots slots = slots_make(10);

    (void)state;
    assert_int_equal(claim(&slots, 1, 4, 1000), TABLE_CLAIMED);
    assert_int_equal(look_up(&slots, 1, DEFAULT, 2000), 4);
    assert_int_equal(peek(&slots, 8), NONE); /* of the same home */
    assert_int_equal(look_up(&slots, 8, DEFAULT, 2000), DEFAULT);
    assert_int_equal(refresh(&slots, 1, 2000), 1);
    assert_int_equal(refresh(&slots, 8, 2000), 0);
    slots_drop(&slots);
}

static void all_priorities_can_be_claimed(void **state)
{
    struct slots slots = slots_make(300);

    (void)state;
    for (int priority = 0; priority <= 253; priority++)
        assert_int_equal(claim(&slots, (unsigned)priority, priority, 1000), TABLE_CLAIMED);
    for (int priority = 0; priority <= 253; priority++)
        assert_int_equal(peek(&slots, (unsigned)priority), priority);
    slots_drop(&slots);
}

static void a_live_claim_never_changes_its_priority(void **state)
{
    struct slots slots = slots_make(10);

    (void)state;
    assert_int_equal(claim(&slots, 1, 4, 0), TABLE_CLAIMED);
    assert_int_equal(claim(&slots, 1, 0, LIFETIME_MS), TABLE_CONFLICT);
    assert_int_equal(claim(&slots, 1, 4, LIFETIME_MS), TABLE_CLAIMED);
    slots_scanned(&slots, LIFETIME_MS + 1, CLEAN);
    slots_scanned(&slots, LIFETIME_MS + 2, CLEAN);
    assert_int_equal(claim(&slots, 1, 0, 2 * LIFETIME_MS), TABLE_CONFLICT);
    assert_int_equal(peek(&slots, 1), 4);
    assert_int_equal(claim(&slots, 1, 0, 2 * LIFETIME_MS + 1), TABLE_CLAIMED);
    assert_int_equal(peek(&slots, 1), 0);
    slots_drop(&slots);
}

static void a_lookup_keeps_a_claim_alive(void **state)
{
    struct slots slots = slots_make(10);

    (void)state;
    assert_int_equal(claim(&slots, 1, 4, 0), TABLE_CLAIMED);
    assert_int_equal(look_up(&slots, 1, DEFAULT, LIFETIME_MS), 4);
    /* An older time must not make it older. */
    assert_int_equal(look_up(&slots, 1, DEFAULT, 10), 4);
    assert_int_equal(claim(&slots, 1, 4, 10), TABLE_CLAIMED);
    slots_scanned(&slots, LIFETIME_MS + 1, CLEAN);
    slots_scanned(&slots, LIFETIME_MS + 2, CLEAN);
    assert_int_equal(claim(&slots, 1, 0, 2 * LIFETIME_MS), TABLE_CONFLICT);
    assert_int_equal(claim(&slots, 1, 0, 2 * LIFETIME_MS + 1), TABLE_CLAIMED);
    slots_drop(&slots);
}

static void what_postfix_may_have_cached_is_not_relied_on(void **state)
{
    struct slots slots = slots_make(100);

    (void)state;
    assert_int_equal(look_up(&slots, 1, DEFAULT, 5000), DEFAULT);
    assert_int_equal(claim(&slots, 1, 4, 6000), TABLE_CONFLICT);
    assert_int_equal(claim(&slots, 1, 4, 5000 + 35000), TABLE_CONFLICT);
    assert_int_equal(claim(&slots, 1, 4, 5000 + 35001), TABLE_CLAIMED);

    /* What was answered is what is claimed. */
    assert_int_equal(look_up(&slots, 2, DEFAULT, 50000), DEFAULT);
    assert_int_equal(claim(&slots, 2, DEFAULT, 50001), TABLE_CLAIMED);

    /* Two answers: the table was unsure of its claims, or not, in between. */
    assert_int_equal(look_up(&slots, 3, DEFAULT, 50000), DEFAULT);
    assert_int_equal(look_up(&slots, 3, 4, 60000), 4);
    assert_int_equal(claim(&slots, 3, 4, 60001), TABLE_CONFLICT);
    assert_int_equal(claim(&slots, 3, 4, 60000 + 35001), TABLE_CLAIMED);

    /* A look that answers nobody, a refresh, and a lookup that hits leave nothing in a cache. */
    assert_int_equal(peek(&slots, 4), NONE);
    assert_int_equal(refresh(&slots, 4, 100000), 0);
    assert_int_equal(claim(&slots, 4, 4, 100000), TABLE_CLAIMED);
    assert_int_equal(look_up(&slots, 4, DEFAULT, 100000), 4);
    assert_int_equal(claim(&slots, 4, 4, 100000), TABLE_CLAIMED);
    slots_drop(&slots);
}

static void a_full_table_says_so_and_keeps_what_it_has(void **state)
{
    struct slots slots = slots_make(50);

    (void)state;
    for (unsigned key = 0; key < 50; key++)
        assert_int_equal(claim(&slots, key, (int)key % 5, 0), TABLE_CLAIMED);
    for (unsigned key = 0; key < 60; key++) {
        assert_int_equal(claim(&slots, key, (int)key % 5, 1000),
                         key < 50 ? TABLE_CLAIMED : TABLE_FULL);
        assert_int_equal(peek(&slots, key), key < 50 ? (int)key % 5 : NONE);
    }
    slots_drop(&slots);
}

static void expired_claims_make_room(void **state)
{
    struct slots slots = slots_make(50);
    int64_t now_ms = 0;

    (void)state;
    for (unsigned key = 0; key < 5000; key++) {
        now_ms += LIFETIME_MS / 20; /* some twenty live at any time */
        slots_scanned(&slots, now_ms, CLEAN);
        assert_int_equal(claim(&slots, key, 1, now_ms), TABLE_CLAIMED);
        assert_true(atomic_load(&slots.shared->claims) <= 50);
    }
    slots_drop(&slots);
}

static void an_expired_claim_that_nobody_displaces_still_answers(void **state)
{
    struct slots slots = slots_make(50);

    (void)state;
    assert_int_equal(claim(&slots, 1, 4, 0), TABLE_CLAIMED);
    slots_scanned(&slots, LIFETIME_MS, CLEAN);
    slots_scanned(&slots, 2 * LIFETIME_MS, CLEAN);
    assert_int_equal(claim(&slots, 2, 1, 99 * LIFETIME_MS), TABLE_CLAIMED);
    assert_int_equal(look_up(&slots, 1, DEFAULT, 100 * LIFETIME_MS), 4);
    slots_drop(&slots);
}

static void set_claims_leave_earlier_ones_alone(void **state)
{
    struct slots slots = slots_make(2);
    struct slots_hash first = hash_of(1), second = hash_of(8), third = hash_of(15);

    (void)state;
    assert_true(slots_set(&slots, &first, 4, 1000));
    assert_true(slots_set(&slots, &second, 3, 1000));
    assert_false(slots_set(&slots, &third, 1, 1000));
    assert_true(slots_set(&slots, &first, 0, 2000)); /* there is room for what is there */
    assert_int_equal(peek(&slots, 1), 4);
    assert_int_equal(peek(&slots, 8), 3);
    assert_int_equal(peek(&slots, 15), NONE);
    assert_int_equal(atomic_load(&slots.shared->claims), 2);
    slots_drop(&slots);
}

static void set_claims_count_as_used_then(void **state)
{
    struct slots slots = slots_make(10);
    struct slots_hash hash = hash_of(1);

    (void)state;
    assert_true(slots_set(&slots, &hash, 4, 5000));
    slots_scanned(&slots, 5001, CLEAN);
    slots_scanned(&slots, 5002, CLEAN);
    assert_int_equal(claim(&slots, 1, 0, 5000 + LIFETIME_MS), TABLE_CONFLICT);
    assert_int_equal(claim(&slots, 1, 0, 5001 + LIFETIME_MS), TABLE_CLAIMED);
    slots_drop(&slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_is_found_with_its_priority),
        cmocka_unit_test(all_priorities_can_be_claimed),
        cmocka_unit_test(a_live_claim_never_changes_its_priority),
        cmocka_unit_test(a_lookup_keeps_a_claim_alive),
        cmocka_unit_test(what_postfix_may_have_cached_is_not_relied_on),
        cmocka_unit_test(a_full_table_says_so_and_keeps_what_it_has),
        cmocka_unit_test(expired_claims_make_room),
        cmocka_unit_test(an_expired_claim_that_nobody_displaces_still_answers),
        cmocka_unit_test(set_claims_leave_earlier_ones_alone),
        cmocka_unit_test(set_claims_count_as_used_then),
    };

    return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
