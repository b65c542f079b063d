/*
 * test_slots_model - random use of the decision table's memory against a plain model of it
 *
 * The model knows all but which of the claims that may be freed are freed.
 */
#include "table/slots.h"

#include <stdlib.h>

#include "tests/unit/slots_fixture.h"
#include "tests/unit/unit.h"

enum { KEYS = 200, CAPACITY = 60, STEPS = 400000, CACHED_MS = 35000, ANY = 1000 };

struct model_claim {
    int priority; /* or NONE */
    int64_t used_ms;
    int missed; /* the priority answered, or NONE, or ANY */
    int64_t missed_ms;
    bool is_queued; /* mail waits: each scan refreshes it */
};

struct model {
    struct slots slots;
    struct model_claim claims[KEYS];
    int64_t now_ms;
    int64_t scans_ms[2];
    uint64_t wanted; /* scans wanted, and the results, counted: all of it happened */
    uint64_t results[3];
    uint64_t taken_over;
    uint64_t swept;
    uint64_t kept; /* expired, and mail waits */
};

static bool is_expired(const struct model *model, const struct model_claim *is)
{
    return is->priority != NONE && model->now_ms - is->used_ms > LIFETIME_MS;
}

static bool is_free(const struct model *model, const struct model_claim *is)
{
    return is_expired(model, is) && is->used_ms < model->scans_ms[0];
}

/* Whether some claim is expired, and a scan may free it. */
static bool can_want(const struct model *model)
{
    for (size_t n = 0; n < KEYS; n++)
        if (is_expired(model, &model->claims[n]) && !is_free(model, &model->claims[n]))
            return true;
    return false;
}

/* What the table says about a key must be what the model says, or a claim that was free is gone. */
static void compare(struct model *model, unsigned key)
{
    struct model_claim *is = &model->claims[key];
    int priority = peek(&model->slots, key);

    if (priority == NONE && is->priority != NONE) {
        assert_true(is_free(model, is));
        assert_false(is->is_queued);
        is->priority = NONE;
        model->swept++;
    }
    assert_int_equal(priority, is->priority);
}

static void note_miss(struct model *model, struct model_claim *is, int priority)
{
    if (model->now_ms - is->missed_ms > CACHED_MS || is->missed == NONE)
        is->missed = priority;
    else if (is->missed != priority)
        is->missed = ANY;
    is->missed_ms = model->now_ms;
}

static void look_up_some(struct model *model, unsigned key)
{
    struct model_claim *is = &model->claims[key];
    int miss_priority = random() % 4 == 0 ? 4 : DEFAULT;
    int answer = look_up(&model->slots, key, miss_priority, model->now_ms);

    if (is->priority == NONE) {
        assert_int_equal(answer, miss_priority);
        note_miss(model, is, miss_priority);
    } else {
        assert_int_equal(answer, is->priority);
        is->used_ms = model->now_ms;
    }
}

static enum table_claim expected(const struct model *model, const struct model_claim *is,
                                 int wanted)
{
    if (is->priority != NONE && is->priority != wanted && !is_free(model, is))
        return TABLE_CONFLICT;
    if (is->missed != NONE && is->missed != wanted && model->now_ms - is->missed_ms <= CACHED_MS)
        return TABLE_CONFLICT;
    return TABLE_CLAIMED;
}

static void claim_some(struct model *model, unsigned key)
{
    struct model_claim *is = &model->claims[key];
    int wanted = (int)(random() % 5);
    bool lacks_scan = is->priority != NONE && is->priority != wanted && is_expired(model, is) &&
                      !is_free(model, is);
    bool may_sweep = is->priority == NONE;
    enum table_claim right = expected(model, is, wanted);
    enum table_claim result = claim(&model->slots, key, wanted, model->now_ms);
    bool wants = wants_scan(&model->slots);

    model->results[result]++;
    model->wanted += wants;
    assert_true(wants ? lacks_scan || (may_sweep && can_want(model)) : !lacks_scan);
    if (result == TABLE_FULL) {
        assert_int_equal(is->priority, NONE);
        assert_int_equal(atomic_load(&model->slots.shared->claims), CAPACITY);
        return;
    }
    assert_int_equal(result, right);
    model->kept += lacks_scan && is->is_queued;
    if (result == TABLE_CONFLICT &&
        (is->priority == NONE || (is->priority != wanted && !is_free(model, is))))
        return;
    model->taken_over += is->priority != NONE && is->priority != wanted;
    is->priority = wanted;
    is->used_ms = model->now_ms;
    is->is_queued = result == TABLE_CLAIMED && random() % 16 == 0;
}

static void scan(struct model *model)
{
    for (unsigned key = 0; key < KEYS; key++) {
        struct model_claim *is = &model->claims[key];

        if (is->is_queued && random() % 64 == 0)
            is->is_queued = false; /* delivered */
        if (is->is_queued) {
            assert_int_equal(refresh(&model->slots, key, model->now_ms), 1);
            is->used_ms = model->now_ms;
        }
    }
    model->scans_ms[0] = model->scans_ms[1];
    model->scans_ms[1] = model->now_ms;
    slots_scanned(&model->slots, model->now_ms, CLEAN);
    model->now_ms += 1000; /* what is used from now on, is used later */
}

/* As when a writer replaces the table. */
static void move_to_another(struct model *model)
{
    struct slots fresh = slots_make(CAPACITY);

    for (unsigned key = 0; key < KEYS; key++)
        compare(model, key);
    assert_int_equal(slots_adopt(&fresh, &model->slots), 0);
    assert_int_equal(atomic_load(&fresh.shared->claims), atomic_load(&model->slots.shared->claims));
    slots_drop(&model->slots);
    model->slots = fresh;
    model->scans_ms[0] = model->scans_ms[1] = 0;
}

static void random_use_agrees_with_the_model(void **state)
{
    static struct model model = {.now_ms = 100000};

    (void)state;
    srandom(20);
    model.slots = slots_make(CAPACITY);
    for (unsigned n = 0; n < KEYS; n++)
        model.claims[n] = (struct model_claim){.priority = NONE, .missed = NONE};
    for (unsigned n = 1; n <= STEPS; n++) {
        unsigned key = (unsigned)random() % KEYS;

        model.now_ms += random() % 3000;
        compare(&model, key);
        if (random() % 3 == 0)
            look_up_some(&model, key);
        else
            claim_some(&model, key);
        if (random() % 64 == 0)
            scan(&model);
        if (n % 20000 == 0)
            move_to_another(&model);
    }
    assert_true(model.results[TABLE_CLAIMED] > STEPS / 20);
    assert_true(model.results[TABLE_CONFLICT] > STEPS / 20);
    assert_true(model.results[TABLE_FULL] > STEPS / 100);
    assert_true(model.wanted > STEPS / 100);
    assert_true(model.taken_over > STEPS / 1000);
    assert_true(model.swept > STEPS / 100);
    assert_true(model.kept > STEPS / 1000);
    slots_drop(&model.slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_use_agrees_with_the_model),
    };

    return cmocka_run_group_tests_name("slots model", tests, NULL, NULL);
}
