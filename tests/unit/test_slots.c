/* test_slots - the decision table's memory against a plain model of what it must do */
#include "table/slots.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { LIFETIME_MS = 60000, CACHED_MS = 35000, DEFAULT = 2, KEYS = 200, FOREVER = -1 };

static struct slots slots_make(size_t capacity)
{
    struct slots slots = {.capacity = capacity, .count = slots_needed(capacity)};

    slots.shared = calloc(1, sizeof *slots.shared);
    slots.slot = calloc(slots.count, sizeof *slots.slot);
    assert_non_null(slots.shared);
    assert_non_null(slots.slot);
    return slots;
}

static void slots_drop(struct slots *slots)
{
    free(slots->shared);
    free(slots->slot);
}

/* Keys share few homes, so that clusters are long, and wrap around the end of the table. */
static struct slots_hash hash_of(unsigned key)
{
    return (struct slots_hash){{(uint64_t)(key % 7) * (UINT64_MAX / 7) + UINT64_MAX / 7, key}};
}

static void a_claim_is_found_with_its_priority(void **state)
{
    struct slots slots = slots_make(10);
    struct slots_hash hash = hash_of(1), other = hash_of(8);
    int priority = FOREVER;

    (void)state;
    assert_int_equal(slots_claim(&slots, &hash, 4, LIFETIME_MS, 1000), TABLE_CLAIMED);
    assert_int_equal(slots_lookup(&slots, &hash, DEFAULT, 2000, &priority), 1);
    assert_int_equal(priority, 4);
    assert_int_equal(slots_peek(&slots, &other, &priority), 0);
    assert_int_equal(slots_lookup(&slots, &other, DEFAULT, 2000, &priority), 0);
    assert_int_equal(priority, DEFAULT);
    slots_drop(&slots);
}

static void a_live_claim_never_changes_its_priority(void **state)
{
    struct slots slots = slots_make(10);
    struct slots_hash hash = hash_of(1);
    int priority;

    (void)state;
    assert_int_equal(slots_claim(&slots, &hash, 4, LIFETIME_MS, 0), TABLE_CLAIMED);
    assert_int_equal(slots_claim(&slots, &hash, 0, LIFETIME_MS, LIFETIME_MS), TABLE_CONFLICT);
    assert_int_equal(slots_claim(&slots, &hash, 4, LIFETIME_MS, LIFETIME_MS), TABLE_CLAIMED);
    assert_int_equal(slots_claim(&slots, &hash, 0, LIFETIME_MS, 2 * LIFETIME_MS), TABLE_CONFLICT);
    assert_int_equal(slots_claim(&slots, &hash, 0, LIFETIME_MS, 2 * LIFETIME_MS + 1),
                     TABLE_CLAIMED);
    assert_int_equal(slots_peek(&slots, &hash, &priority), 1);
    assert_int_equal(priority, 0);
    slots_drop(&slots);
}

static void a_lookup_keeps_a_claim_alive(void **state)
{
    struct slots slots = slots_make(10);
    struct slots_hash hash = hash_of(1);
    int priority;

    (void)state;
    assert_int_equal(slots_claim(&slots, &hash, 4, LIFETIME_MS, 0), TABLE_CLAIMED);
    assert_int_equal(slots_lookup(&slots, &hash, DEFAULT, LIFETIME_MS, &priority), 1);
    /* An older time must not make it younger. */
    assert_int_equal(slots_lookup(&slots, &hash, DEFAULT, 10, &priority), 1);
    assert_int_equal(slots_claim(&slots, &hash, 0, LIFETIME_MS, 2 * LIFETIME_MS), TABLE_CONFLICT);
    slots_drop(&slots);
}

static void what_postfix_may_have_cached_is_not_relied_on(void **state)
{
    struct slots slots = slots_make(100);
    struct slots_hash hash = hash_of(1);
    int priority;

    (void)state;
    assert_int_equal(slots_lookup(&slots, &hash, DEFAULT, 5000, &priority), 0);
    assert_int_equal(slots_claim(&slots, &hash, 4, LIFETIME_MS, 6000), TABLE_CONFLICT);
    assert_int_equal(slots_claim(&slots, &hash, 4, LIFETIME_MS, 5000 + 30000), TABLE_CONFLICT);
    assert_int_equal(slots_claim(&slots, &hash, 4, LIFETIME_MS, 5000 + 37000), TABLE_CLAIMED);

    hash = hash_of(3); /* a slow reader's older miss does not hide a later one */
    assert_int_equal(slots_lookup(&slots, &hash, DEFAULT, 900000, &priority), 0);
    assert_int_equal(slots_lookup(&slots, &hash, DEFAULT, 800000, &priority), 0);
    assert_int_equal(slots_claim(&slots, &hash, 4, LIFETIME_MS, 900001), TABLE_CONFLICT);

    hash = hash_of(4); /* nor does one of long ago, however the clock's bits wrap */
    for (int64_t now_ms = 1000000; now_ms < INT64_C(400) * 86400 * 1000; now_ms *= 3) {
        assert_int_equal(slots_lookup(&slots, &hash, DEFAULT, now_ms, &priority), 0);
        hash.part[0] ^= 1; /* another key of the same place, which was not claimed yet */
        assert_int_equal(slots_claim(&slots, &hash, 4, LIFETIME_MS, now_ms + 30000),
                         TABLE_CONFLICT);
        hash.part[0] += 2;
    }

    hash = hash_of(2); /* the default priority is what was cached */
    assert_int_equal(slots_lookup(&slots, &hash, DEFAULT, 50000, &priority), 0);
    assert_int_equal(slots_claim(&slots, &hash, DEFAULT, LIFETIME_MS, 50001), TABLE_CLAIMED);
    slots_drop(&slots);
}

static void a_full_table_says_so_and_keeps_what_it_has(void **state)
{
    struct slots slots = slots_make(50);
    int priority;

    (void)state;
    for (unsigned key = 0; key < 50; key++) {
        struct slots_hash hash = hash_of(key);

        assert_int_equal(slots_claim(&slots, &hash, (int)key % 5, LIFETIME_MS, 0), TABLE_CLAIMED);
    }
    for (unsigned key = 0; key < 60; key++) {
        struct slots_hash hash = hash_of(key);

        assert_int_equal(slots_claim(&slots, &hash, (int)key % 5, LIFETIME_MS, 1000),
                         key < 50 ? TABLE_CLAIMED : TABLE_FULL);
        assert_int_equal(slots_peek(&slots, &hash, &priority), key < 50);
    }
    slots_drop(&slots);
}

static void expired_claims_make_room(void **state)
{
    struct slots slots = slots_make(50);
    int64_t now_ms = 0;

    (void)state;
    for (unsigned key = 0; key < 5000; key++) {
        struct slots_hash hash = hash_of(key);

        now_ms += LIFETIME_MS / 20; /* some twenty live at any time */
        assert_int_equal(slots_claim(&slots, &hash, 1, LIFETIME_MS, now_ms), TABLE_CLAIMED);
    }
    slots_drop(&slots);
}

static void an_expired_claim_that_nobody_displaces_still_answers(void **state)
{
    struct slots slots = slots_make(50);
    struct slots_hash hash = hash_of(1);
    int priority;

    (void)state;
    assert_int_equal(slots_claim(&slots, &hash, 4, LIFETIME_MS, 0), TABLE_CLAIMED);
    assert_int_equal(slots_lookup(&slots, &hash, DEFAULT, 100 * LIFETIME_MS, &priority), 1);
    assert_int_equal(priority, 4);
    slots_drop(&slots);
}

struct model_claim {
    int priority; /* FOREVER: none */
    int64_t used_ms;
    int64_t missed_ms;
};

/* Random claims and lookups: whatever the table says must agree with the model. */
static void random_use_agrees_with_the_model(void **state)
{
    struct slots slots = slots_make(60);
    static struct model_claim model[KEYS];
    int64_t now_ms = 100000;
    unsigned claimed = 0, conflicts = 0, full = 0;

    (void)state;
    srandom(20);
    for (unsigned n = 0; n < KEYS; n++)
        model[n] = (struct model_claim){.priority = FOREVER, .missed_ms = -CACHED_MS};
    for (unsigned n = 0; n < 300000; n++) {
        unsigned key = (unsigned)random() % KEYS;
        struct model_claim *is = &model[key];
        struct slots_hash hash = hash_of(key);
        int wanted = (int)(random() % 5), priority = FOREVER;

        now_ms += random() % 1500;
        if (random() % 3 == 0) {
            int found = slots_lookup(&slots, &hash, DEFAULT, now_ms, &priority);

            if (found == 1) {
                assert_int_equal(priority, is->priority);
                is->used_ms = now_ms;
            } else { /* only a claim that expired may be gone */
                assert_true(is->priority == FOREVER || now_ms - is->used_ms > LIFETIME_MS);
                is->priority = FOREVER;
                is->missed_ms = now_ms;
            }
            continue;
        }
        switch (slots_claim(&slots, &hash, wanted, LIFETIME_MS, now_ms)) {
        case TABLE_CLAIMED:
            claimed++;
            assert_true(is->priority == FOREVER || is->priority == wanted ||
                        now_ms - is->used_ms > LIFETIME_MS);
            assert_true(wanted == DEFAULT || now_ms - is->missed_ms > 30000);
            is->priority = wanted;
            is->used_ms = now_ms;
            break;
        case TABLE_CONFLICT: /* with a live claim, or with what may be cached */
            conflicts++;
            if (slots_peek(&slots, &hash, &priority) == 1 && priority == wanted) {
                is->priority = wanted;
                is->used_ms = now_ms;
            } else {
                assert_true(is->priority != wanted && now_ms - is->used_ms <= LIFETIME_MS);
            }
            break;
        case TABLE_FULL:
            full++;
            break;
        }
    }
    assert_true(claimed > 10000);
    assert_true(conflicts > 10000);
    assert_true(full > 0);
    slots_drop(&slots);
}

static void adopted_claims_keep_their_priority_and_age(void **state)
{
    struct slots from = slots_make(100), to = slots_make(300), small = slots_make(40);
    struct slots_hash hash;
    int priority;

    (void)state;
    for (unsigned key = 0; key < 100; key++) {
        hash = hash_of(key);
        assert_int_equal(slots_claim(&from, &hash, (int)key % 5, LIFETIME_MS, 0), TABLE_CLAIMED);
    }
    assert_int_equal(slots_adopt(&to, &from, false, 7777), 0);
    for (unsigned key = 0; key < 100; key++) {
        hash = hash_of(key);
        assert_int_equal(slots_peek(&to, &hash, &priority), 1);
        assert_int_equal(priority, key % 5);
    }
    assert_int_equal(slots_claim(&to, &hash, 0, LIFETIME_MS, LIFETIME_MS + 1), TABLE_CLAIMED);
    assert_int_equal(slots_adopt(&small, &from, true, 7777), 60);
    slots_drop(&from);
    slots_drop(&to);
    slots_drop(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_is_found_with_its_priority),
        cmocka_unit_test(a_live_claim_never_changes_its_priority),
        cmocka_unit_test(a_lookup_keeps_a_claim_alive),
        cmocka_unit_test(what_postfix_may_have_cached_is_not_relied_on),
        cmocka_unit_test(a_full_table_says_so_and_keeps_what_it_has),
        cmocka_unit_test(expired_claims_make_room),
        cmocka_unit_test(an_expired_claim_that_nobody_displaces_still_answers),
        cmocka_unit_test(random_use_agrees_with_the_model),
        cmocka_unit_test(adopted_claims_keep_their_priority_and_age),
    };

    return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
