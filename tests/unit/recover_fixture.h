/* recover_fixture - decisions, in files or as they were recovered; to be included by one file */
#ifndef PEG_RECOVER_FIXTURE_H
#define PEG_RECOVER_FIXTURE_H

#include "store/compact.h"
#include "store/recover.h"
#include "tests/unit/store_fixture.h"

enum { CLAIMS_MAX = 64, KEY_SIZE = 32 };

/* Claims as they came. */
struct heard {
    struct {
        char key[KEY_SIZE];
        int priority;
    } claim[CLAIMS_MAX];
    size_t count;
};

static void UNUSED hear(void *arg, const char *key, size_t key_len, int priority)
{
    struct heard *heard = arg;

    assert_true(heard->count < CLAIMS_MAX && key_len < KEY_SIZE);
    memset(&heard->claim[heard->count], 0, sizeof heard->claim[0]);
    memcpy(heard->claim[heard->count].key, key, key_len);
    heard->claim[heard->count++].priority = priority;
}

/* They are heard from the newest on; tests have them in the order they were written in. */
static void turn_round(struct heard *heard)
{
    const struct heard backwards = *heard;

    for (size_t n = 0; n < heard->count; n++)
        heard->claim[n] = backwards.claim[heard->count - 1 - n];
}

static struct recover_result UNUSED recover_all(struct heard *heard)
{
    struct recover_result result;

    *heard = (struct heard){0};
    if (!recover(folder, wall_ms, hear, heard, &result, why))
        fail_msg("%s", why);
    assert_int_equal(result.claims, heard->count);
    turn_round(heard);
    return result;
}

/* What a decision claims. */
static void UNUSED expect(struct heard *expected, const struct decision *decision)
{
    for (size_t n = 0; n < LENGTH(decision->claims) && decision->claims[n].key != NULL; n++) {
        const struct claim *claim = &decision->claims[n];

        if (claim->use != RECORD_UNCLAIMED)
            hear(expected, claim->key, strlen(claim->key), claim->priority);
    }
}

static void UNUSED assert_heard(const struct heard *heard, const struct heard *expected)
{
    assert_int_equal(heard->count, expected->count);
    for (size_t n = 0; n < heard->count; n++) {
        assert_string_equal(heard->claim[n].key, expected->claim[n].key);
        assert_int_equal(heard->claim[n].priority, expected->claim[n].priority);
    }
}

/* The latest priority of a key; -1: none. */
static int UNUSED priority_of(const struct heard *heard, const char *key)
{
    for (size_t n = heard->count; n > 0; n--)
        if (strcmp(heard->claim[n - 1].key, key) == 0)
            return heard->claim[n - 1].priority;
    return -1;
}

/* Whether the same claims hold in the end, in whatever order they came. */
static void UNUSED assert_same_end(const struct heard *one, const struct heard *other)
{
    for (size_t n = 0; n < one->count; n++)
        assert_int_equal(priority_of(one, one->claim[n].key),
                         priority_of(other, one->claim[n].key));
    for (size_t n = 0; n < other->count; n++)
        assert_int_not_equal(priority_of(one, other->claim[n].key), -1);
}

static const struct decision decisions[] = {
    {"4A", {{"bob@dest.example", 4, RECORD_CLAIMED}}},
    {"4B",
     {{"bob@dest.example", 4, RECORD_CLAIMED},
      {"Eve@dest.example", 0, RECORD_SPARE},
      {"carl@dest.example", 2, RECORD_CLAIMED}}},
    {"4C", {{"dora@dest.example", 1, RECORD_UNCLAIMED}}},
    {"4D", {{"o d\"d%@dest.example", 1, RECORD_CLAIMED}, {"bob@dest.example", 2, RECORD_CLAIMED}}},
    {"4E", {{"carl@dest.example", 0, RECORD_CLAIMED}}},
};

enum { SEGMENTS = 3 };
static const size_t counts[SEGMENTS] = {2, 1, 2}; /* of the decisions, in each segment */

static void UNUSED put_segments(void)
{
    for (size_t n = 0, first = 0; n < SEGMENTS; first += counts[n++])
        put_segment(n + 1, decisions + first, counts[n], NULL);
}

static void UNUSED compact_all(void)
{
    const struct compact_config config = {
        .folder = folder, .segments = COMPACT_ALL, .wall_ms = wall_ms};
    struct compact_result result;

    if (!compact(&config, &result, why))
        fail_msg("%s", why);
}

static off_t UNUSED log_size(void)
{
    struct stat status;

    assert_int_equal(stat(log_path, &status), 0);
    return status.st_size;
}

/* A second time all files are whole, and what holds is the same; what was lost is still known,
 * until somebody says that nothing needs it. */
static void UNUSED assert_repaired(const struct heard *heard, const char *all_names)
{
    off_t size = log_size();
    struct heard again;

    assert_names(all_names);
    assert_true(folder_is_incomplete(folder));
    assert_true(recover_all(&again).is_damaged);
    assert_same_end(heard, &again);
    assert_names(all_names);
    assert_int_equal(log_size(), size); /* nothing is to be told */
    assert_true(folder_set_incomplete(folder, false));
    assert_false(recover_all(&again).is_damaged);
    assert_same_end(heard, &again);
}

#endif
