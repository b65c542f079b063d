/* test_decide - which way a message goes, for every state of the table that its keys can be in */
#include "milter/decide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/unit/unit.h"

enum { CLAIMS_MAX = 4096 };

/* A table by linear search: what decide() claims is kept, so that tests can look at it. */
struct claims {
    struct {
        char key[64];
        int priority;
    } claim[CLAIMS_MAX];
    size_t count;
    size_t room;
};

static struct claims claims;

static void forget_claims(size_t room)
{
    claims.count = 0;
    claims.room = room;
}

static enum table_claim claim(void *arg, const char *key, int priority)
{
    (void)arg;
    for (size_t n = 0; n < claims.count; n++)
        if (strcmp(claims.claim[n].key, key) == 0)
            return claims.claim[n].priority == priority ? TABLE_CLAIMED : TABLE_CONFLICT;
    if (claims.count >= claims.room)
        return TABLE_FULL;
    strcpy(claims.claim[claims.count].key, key);
    claims.claim[claims.count++].priority = priority;
    return TABLE_CLAIMED;
}

static void claim_all_spellings(const char *lower, const char *upper, int priority)
{
    assert_int_equal(claim(NULL, lower, priority), TABLE_CLAIMED);
    assert_int_equal(claim(NULL, upper, priority), TABLE_CLAIMED);
}

static struct decide_result decide_for(struct decide_recipient *recipients, size_t count)
{
    return decide(recipients, count, claim, NULL);
}

static void without_conflict_nothing_changes(void **state)
{
    struct decide_recipient recipients[] = {
        {.key = "a@x", .given = "a@x", .params = "", .priority = 4},
        {.key = "b@x", .given = "b@x", .params = "", .priority = 0}};

    (void)state;
    forget_claims(10);
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(decide_for(recipients, 2).way, DECIDE_PLAIN);
        assert_false(recipients[0].replace || recipients[1].replace);
    }
    assert_int_equal(claims.count, 2);
    assert_int_equal(decide_for(recipients, 0).way, DECIDE_PLAIN);
}

static void a_conflict_at_one_priority_takes_the_filter(void **state)
{
    struct decide_recipient recipients[] = {
        {.key = "a@x", .given = "a@x", .params = "", .priority = 3},
        {.key = "b@x", .given = "b@x", .params = "", .priority = 3}};
    struct decide_result result;

    (void)state;
    forget_claims(10);
    assert_int_equal(claim(NULL, "b@x", 0), TABLE_CLAIMED);
    result = decide_for(recipients, 2);
    assert_int_equal(result.way, DECIDE_FILTER);
    assert_int_equal(result.filter_priority, 3);
    assert_false(result.table_full);
}

static void a_conflict_in_a_mixed_message_is_respelled(void **state)
{
    struct decide_recipient recipients[] = {
        {.key = "a@xy.z", .given = "a@xy.z", .params = "", .priority = 4},
        {.key = "b@xy.z", .given = "b@xy.z", .params = "", .priority = 1}};

    (void)state;
    forget_claims(10);
    assert_int_equal(claim(NULL, "b@xy.z", 0), TABLE_CLAIMED);
    assert_int_equal(decide_for(recipients, 2).way, DECIDE_RESPELL);
    assert_false(recipients[0].replace);
    assert_true(recipients[1].replace);
    assert_string_not_equal(recipients[1].spelling, "b@xy.z");
    assert_int_equal(strcasecmp(recipients[1].spelling, "b@xy.z"), 0);
    assert_int_equal(claim(NULL, recipients[1].spelling, 1), TABLE_CLAIMED);
    assert_string_not_equal(recipients[1].spare, recipients[1].spelling);
    assert_int_equal(claim(NULL, recipients[1].spare, 1), TABLE_CLAIMED);
    decide_free(recipients, 2);
}

static void a_spelling_that_lives_with_the_priority_is_used_again(void **state)
{
    (void)state;
    forget_claims(6);
    assert_int_equal(claim(NULL, "b@xy.z", 0), TABLE_CLAIMED);
    for (int n = 0; n < 100; n++) {
        struct decide_recipient recipients[] = {
            {.key = "a@xy.z", .given = "a@xy.z", .params = "", .priority = 4},
            {.key = "b@xy.z", .given = "b@xy.z", .params = "", .priority = 1 + n % 2}};

        assert_int_equal(decide_for(recipients, 2).way, DECIDE_RESPELL);
        decide_free(recipients, 2);
    }
    assert_int_equal(claims.count, 6); /* two of its own, two for each priority */
}

static void without_spelling_left_the_highest_priority_takes_all(void **state)
{
    struct decide_recipient recipients[] = {
        {.key = "a@xy.z", .given = "a@xy.z", .params = "", .priority = 1},
        {.key = "b@1.c", .given = "b@1.c", .params = "", .priority = 2},
        {.key = "c@xy.z", .given = "c@xy.z", .params = "", .priority = 3}};
    struct decide_result result;

    (void)state;
    forget_claims(10);
    claim_all_spellings("b@1.c", "b@1.C", 0);
    result = decide_for(recipients, 3);
    assert_int_equal(result.way, DECIDE_FILTER);
    assert_int_equal(result.filter_priority, 3);
    decide_free(recipients, 3);
}

static void an_address_literal_has_no_spelling(void **state)
{
    struct decide_recipient recipients[] = {
        {.key = "u@[192.0.2.7]", .given = "u@[192.0.2.7]", .params = "", .priority = 1},
        {.key = "c@xy.z", .given = "c@xy.z", .params = "", .priority = 0}};
    struct decide_result result;

    (void)state;
    forget_claims(10);
    assert_int_equal(claim(NULL, "u@[192.0.2.7]", 4), TABLE_CLAIMED);
    result = decide_for(recipients, 2);
    assert_int_equal(result.way, DECIDE_FILTER);
    assert_int_equal(result.filter_priority, 1);
}

static void a_full_table_never_demotes(void **state)
{
    struct decide_recipient mixed[] = {
        {.key = "a@xy.z", .given = "a@xy.z", .params = "", .priority = 1},
        {.key = "b@xy.z", .given = "b@xy.z", .params = "", .priority = 4}};
    struct decide_recipient one[] = {
        {.key = "c@xy.z", .given = "c@xy.z", .params = "", .priority = 0}};
    struct decide_result result;

    (void)state;
    forget_claims(1);
    result = decide_for(mixed, 2);
    assert_int_equal(result.way, DECIDE_FILTER);
    assert_int_equal(result.filter_priority, 4);
    assert_true(result.table_full);
    decide_free(mixed, 2);
    result = decide_for(one, 1);
    assert_int_equal(result.way, DECIDE_FILTER);
    assert_int_equal(result.filter_priority, 0);
    assert_true(result.table_full);
}

static void of_one_mailbox_named_twice_one_is_respelled(void **state)
{
    struct decide_recipient recipients[] = {
        {.key = "b@xy.z", .given = "b@xy.z", .params = "", .priority = 1},
        {.key = "B@XY.z", .given = "B@XY.z", .params = "", .priority = 1},
        {.key = "b@xy.Z",
         .given = "b@xy.Z",
         .params = "NOTIFY=NEVER",
         .priority = 1}, /* Postfix keeps this one, too */
        {.key = "a@xy.z", .given = "a@xy.z", .params = "", .priority = 4}};

    (void)state;
    forget_claims(20);
    for (size_t n = 0; n < 3; n++)
        assert_int_equal(claim(NULL, recipients[n].key, 0), TABLE_CLAIMED);
    assert_int_equal(decide_for(recipients, 4).way, DECIDE_RESPELL);
    assert_true(recipients[0].replace && recipients[1].replace && recipients[2].replace);
    assert_non_null(recipients[0].spelling);
    assert_null(recipients[1].spelling);
    assert_non_null(recipients[2].spelling);
    for (size_t n = 0; n < 3; n += 2) { /* a spare is nobody else's address: it goes again */
        assert_non_null(recipients[n].spare);
        for (size_t m = 0; m < 3; m++) {
            assert_string_not_equal(recipients[n].spare, recipients[m].key);
            if (m != 1)
                assert_string_not_equal(recipients[n].spare, recipients[m].spelling);
        }
    }
    decide_free(recipients, 4);
}

static void a_key_that_is_not_known_to_the_letter_is_not_relied_on(void **state)
{
    struct decide_recipient recipients[] = {
        {.key = "b@xy.z", .given = "b", .params = "", .priority = 1, .source = ROUTING_KEY_MAILBOX},
        {.key = "a@xy.z", .given = "a@xy.z", .params = "", .priority = 4}};
    struct decide_result result;

    (void)state;
    forget_claims(20);
    assert_int_equal(decide_for(recipients, 1).way, DECIDE_FILTER);
    assert_int_equal(claims.count, 0);
    assert_int_equal(decide_for(recipients, 2).way, DECIDE_RESPELL);
    assert_string_equal(recipients[0].spelling, "b@xy.z");
    decide_free(recipients, 2);
    recipients[0].source = ROUTING_KEY_GUESS;
    result = decide_for(recipients, 2);
    assert_int_equal(result.way, DECIDE_FILTER);
    assert_int_equal(result.filter_priority, 4);
    decide_free(recipients, 2);
}

/*
 * Whatever was claimed before: each recipient's key, or the spelling that takes its place, lives
 * with its priority in the end; or the filter takes all at the highest.
 */
static void no_recipient_is_ever_demoted(void **state)
{
    static char keys[40][64];
    unsigned ways[3] = {0, 0, 0};

    (void)state;
    srandom(7);
    for (unsigned n = 0; n < 40; n++)
        sprintf(keys[n],
                n % 8 == 0   ? "u%u@[192.0.2.7]"
                : n % 8 == 1 ? "u%u@1.cn"
                             : "u%u@Dest.org",
                n / 2);
    for (unsigned round = 0; round < 3000; round++) {
        struct decide_recipient recipients[6] = {{0}};
        size_t count = 1 + (size_t)random() % 6;
        struct decide_result result;

        if (round % 50 == 0)
            forget_claims((size_t)random() % 60);
        for (size_t n = 0; n < count; n++) {
            const char *key = keys[random() % 40];

            recipients[n] = (struct decide_recipient){
                .key = key, .given = key, .params = "", .priority = (int)(random() % 5)};
        }
        for (size_t n = 0; n < count; n++) /* one key in one message has one priority */
            for (size_t m = 0; m < n; m++)
                if (strcasecmp(recipients[n].key, recipients[m].key) == 0)
                    recipients[n].priority = recipients[m].priority;
        result = decide_for(recipients, count);
        ways[result.way]++;
        for (size_t n = 0; n < count; n++) {
            const char *key = recipients[n].replace ? recipients[n].spelling : recipients[n].key;

            if (result.way == DECIDE_FILTER)
                assert_true(result.filter_priority >= recipients[n].priority);
            else if (key != NULL)
                assert_int_equal(claim(NULL, key, recipients[n].priority), TABLE_CLAIMED);
        }
        decide_free(recipients, count);
    }
    assert_true(ways[DECIDE_PLAIN] > 100 && ways[DECIDE_FILTER] > 100 &&
                ways[DECIDE_RESPELL] > 100);
}

/* Each key is asked for, since the table takes note of it; of their spellings none. */
static enum table_claim claim_too_early(void *arg, const char *key, int priority)
{
    (void)arg;
    (void)claim(NULL, key, priority);
    return strcmp(key, "a@x.example") == 0 ? TABLE_CONFLICT : TABLE_TOO_EARLY;
}

static void what_is_too_early_is_asked_for_and_goes_by_the_filter(void **state)
{
    struct decide_recipient recipients[] = {
        {.key = "a@x.example", .given = "a@x.example", .params = "", .priority = 3},
        {.key = "b@x.example", .given = "b@x.example", .params = "", .priority = 0},
        {.key = "c@x.example", .given = "c@x.example", .params = "", .priority = 1}};
    struct decide_result result;

    (void)state;
    forget_claims(LENGTH(claims.claim));
    result = decide(recipients, 3, claim_too_early, NULL);
    assert_int_equal(result.way, DECIDE_FILTER);
    assert_int_equal(result.filter_priority, 3);
    assert_int_equal(claims.count, 3);
    decide_free(recipients, 3);

    forget_claims(LENGTH(claims.claim));
    recipients[1].source = ROUTING_KEY_MAILBOX;
    result = decide(recipients, 2, claim_too_early, NULL);
    assert_int_equal(result.way, DECIDE_FILTER);
    assert_int_equal(claims.count, 2);
    decide_free(recipients, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_conflict_nothing_changes),
        cmocka_unit_test(a_conflict_at_one_priority_takes_the_filter),
        cmocka_unit_test(a_conflict_in_a_mixed_message_is_respelled),
        cmocka_unit_test(a_spelling_that_lives_with_the_priority_is_used_again),
        cmocka_unit_test(without_spelling_left_the_highest_priority_takes_all),
        cmocka_unit_test(an_address_literal_has_no_spelling),
        cmocka_unit_test(a_full_table_never_demotes),
        cmocka_unit_test(of_one_mailbox_named_twice_one_is_respelled),
        cmocka_unit_test(a_key_that_is_not_known_to_the_letter_is_not_relied_on),
        cmocka_unit_test(what_is_too_early_is_asked_for_and_goes_by_the_filter),
        cmocka_unit_test(no_recipient_is_ever_demoted),
    };

    return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
