/* test_look - what a look into the queue keeps, frees, and leaves in doubt */
#include "tests/unit/tidy_fixture.h"

static void claims_that_queued_mail_needs_stay(void **state)
{
    struct tidy_result result;

    (void)state;
    claim("bob@dest.example", 4);
    claim("carl@dest.example", 4);
    claim("dora@dest.example", 4);
    claim("\"quo ted\"@dest.example", 4);
    claim("maildrop@dest.example", 4);
    put_text("listing", MESSAGE("deferred", "4XyZ0",
                                RCPT("bob@dest.example") ", " RCPT("\\\"dora\\\"@dest.example"))
                            MESSAGE("hold", "4XyZ1", RCPT("\\\"quo ted\\\"@dest.example"))
                                MESSAGE("maildrop", "4XyZ2", RCPT("maildrop@dest.example")));
    for (int n = 0; n < 2; n++) {
        assert_false(is_free("carl@dest.example"));
        result = run(true, false);
        assert_true(result.has_looked);
        assert_int_equal(result.queue.messages, 2);
        assert_int_equal(result.queue.recipients, 3);
        assert_int_equal(result.queue.unknown, 0);
        assert_false(result.has_compacted);
    }
    assert_int_equal(scans(), 2);
    assert_false(is_free("bob@dest.example"));
    assert_false(is_free("dora@dest.example")); /* its key needs no quotes */
    assert_false(is_free("\"quo ted\"@dest.example"));
    assert_true(is_free("carl@dest.example"));
    assert_true(is_free("maildrop@dest.example"));
    assert_int_equal(
        logged("queue: 2 messages, 3 recipients, 0 without a decision; store: as it was"), 2);
}

static void a_look_that_failed_frees_nothing(void **state)
{
    (void)state;
    claim("bob@dest.example", 4);
    table_want(table, TABLE_WANT_SCAN);
    put_text("status", "69\n");
    for (int n = 0; n < 3; n++) {
        struct tidy_result result = run(false, false);

        assert_false(result.has_looked);
        assert_int_equal(table_wanted(table), TABLE_WANT_SCAN);
    }
    assert_int_equal(scans(), 0);
    assert_false(is_free("bob@dest.example"));
    assert_int_equal(logged("queue: not known; store: as it was"), 3);
}

static void what_is_wanted_is_wanted_no_more(void **state)
{
    (void)state;
    table_want(table, TABLE_WANT_SCAN | TABLE_WANT_COMPACT);
    run(true, false);
    assert_int_equal(table_wanted(table), 0);
    assert_int_equal(calls(), 1);
}

static void recipients_without_a_claim_are_counted(void **state)
{
    (void)state;
    claim("bob@dest.example", 4);
    put_text("listing",
             MESSAGE("active", "4XyZ0", RCPT("bob@dest.example") ", " RCPT("eve@dest.example")));
    assert_int_equal(run(true, false).queue.unknown, 1);
    assert_int_equal(scans(), 1);
}

/* Postfix shows bytes that are no text as `?`. */
static void an_address_that_is_not_shown_whole_keeps_all_claims(void **state)
{
    (void)state;
    claim("bob@dest.example", 4);
    claim("?@dest.example", 4);
    table_want(table, TABLE_WANT_SCAN);
    put_text("listing",
             MESSAGE("hold", "4XyZ7", RCPT("\\\"a?b\\\"@dest.example") ", " RCPT("?@dest.example"))
                 MESSAGE("hold", "4XyZ8", RCPT("c?d@dest.example")));
    for (int n = 0; n < 3; n++)
        run(false, false);
    assert_int_equal(scans(), 0);
    assert_int_equal(table_wanted(table), TABLE_WANT_SCAN);
    assert_false(is_free("bob@dest.example"));
    assert_int_equal(logged("4XyZ7"), 3); /* once in each look */
    assert_int_equal(logged("4XyZ8"), 0);
}

static void each_look_is_judged_by_itself(void **state)
{
    struct tidy_result result;

    (void)state;
    put_text("listing",
             MESSAGE("hold", "4XyZ8", RCPT("c?d@dest.example") ", " RCPT("eve@x.example")));
    put_text("hook", "[ \"$(wc -l <calls)\" = 2 ] && : >listing\n");
    result = run(false, true); /* looks twice */
    assert_int_equal(calls(), 2);
    assert_int_equal(scans(), 1);
    assert_int_equal(result.queue.messages, 0);
    assert_int_equal(result.queue.recipients, 0);
    assert_int_equal(result.queue.unknown, 0);
}

static void an_address_with_a_question_mark_that_is_claimed_is_itself(void **state)
{
    (void)state;
    claim("a?b@dest.example", 4);
    put_text("listing", MESSAGE("hold", "4XyZ7", RCPT("a?b@dest.example")));
    assert_int_equal(run(true, false).queue.unknown, 0);
    assert_true(run(true, false).has_looked);
    assert_int_equal(scans(), 2);
    assert_false(is_free("a?b@dest.example"));
}

static void the_record_of_a_message_says_what_is_not_shown(void **state)
{
    (void)state;
    claim("\"a\001b\"@dest.example", 4);
    claim("carl@dest.example", 4);
    PUT_SEGMENT(1,
                {"4XyZ7",
                 {{"\"a\001b\"@dest.example", 4, RECORD_CLAIMED},
                  {"\"a\001b\"@Dest.example", 4, RECORD_SPARE},
                  {"eve@dest.example", 4, RECORD_UNCLAIMED}}},
                {"4XyZ8", {{"\"a\002b\"@dest.example", 4, RECORD_CLAIMED}}});
    put_text("listing", MESSAGE("hold", "4XyZ7", RCPT("\\\"a?b\\\"@dest.example")));
    assert_int_equal(run(true, false).queue.unknown, 0);
    assert_int_equal(run(true, false).queue.unknown, 0);
    assert_int_equal(scans(), 2);
    assert_false(is_free("\"a\001b\"@dest.example"));
    assert_true(is_free("carl@dest.example"));
    claim("\"a?b\"@dest.example", 4); /* which looks the same, and is another one */
    put_text("listing", MESSAGE("hold", "4XyZ8", RCPT("\\\"a?b\\\"@dest.example")));
    assert_int_equal(run(true, false).queue.unknown, 1);
    assert_int_equal(scans(), 3);
}

static void without_its_record_it_may_be_another_that_looks_the_same(void **state)
{
    char path[PATH_MAX], name[32];

    (void)state;
    claim("\"a\001b\"@dest.example", 4);
    claim("\"a?b\"@dest.example", 4);
    PUT_SEGMENT(2, {"4XyZ7", {{"\"a\001b\"@dest.example", 4, RECORD_CLAIMED}}});
    put_text("listing", MESSAGE("hold", "4XyZ7", RCPT("\\\"a?b\\\"@dest.example")));
    assert_int_equal(symlink("elsewhere", path_of(segment_name(1, name), path)), 0);
    run(false, false); /* the records cannot be read */
    run(false, false);
    assert_int_equal(scans(), 0);
    assert_false(is_free("\"a\001b\"@dest.example"));
    assert_int_equal(unlink(path), 0);
    run(true, false);
    assert_int_equal(scans(), 1);
}

/* Two frontends */

static void claims_that_mail_in_either_frontend_needs_stay(void **state)
{
    struct tidy_result result;

    (void)state;
    claim("bob@dest.example", 4);
    claim("carl@dest.example", 4);
    claim("dora@dest.example", 4);
    put_text("listing", MESSAGE("hold", "4XyZ0", RCPT("bob@dest.example")));
    put_text("urgent", "cat <<'END'\n" MESSAGE("deferred", "4XyZ0",
                                               RCPT("carl@dest.example")) "END\nexit 0\n");
    for (int n = 0; n < 2; n++)
        result = run_on(both_frontends, 2, true, false);
    assert_int_equal(result.queue.messages, 2);
    assert_int_equal(result.queue.recipients, 2);
    assert_int_equal(scans(), 2);
    assert_false(is_free("bob@dest.example"));
    assert_false(is_free("carl@dest.example"));
    assert_true(is_free("dora@dest.example"));
}

static void where_one_frontend_cannot_be_asked_nothing_is_freed(void **state)
{
    (void)state;
    claim("bob@dest.example", 4);
    put_text("urgent", "exit 69\n");
    for (int n = 0; n < 3; n++)
        assert_false(run_on(both_frontends, 2, false, false).has_looked);
    put_text("urgent", "exit 0\n");
    put_text("status", "69\n");
    for (int n = 0; n < 3; n++)
        assert_false(run_on(both_frontends, 2, false, false).has_looked);
    assert_int_equal(scans(), 0);
    assert_false(is_free("bob@dest.example"));
    assert_int_equal(logged("cannot see all of the urgent frontend's queue: "), 3);
    assert_int_equal(logged("cannot see all of the frontend's queue: "), 3);
}

/* A record of the other message with that queue ID says nothing of this one. */
static void the_same_queue_id_in_both_frontends_is_of_two_messages(void **state)
{
    (void)state;
    claim("\"a\001b\"@dest.example", 4);
    PUT_SEGMENT(1, {"4XyZ7", {{"\"a\001b\"@dest.example", 4, RECORD_CLAIMED}}});
    put_text("urgent", "cat <<'END'\n" MESSAGE("hold", "4XyZ7",
                                               RCPT("\\\"a?b\\\"@dest.example")) "END\nexit 0\n");
    run_on(both_frontends, 2, false, false);
    run_on(both_frontends, 2, false, false);
    assert_int_equal(scans(), 0);
    PUT_SEGMENT(2, {"urgent/4XyZ7", {{"\"a\001b\"@dest.example", 4, RECORD_CLAIMED}}});
    run_on(both_frontends, 2, true, false);
    assert_int_equal(scans(), 1);
    assert_false(is_free("\"a\001b\"@dest.example"));
}

/* Being unsure */

static void two_clean_looks_end_doubt(void **state)
{
    (void)state;
    make_table_unsure();
    put_text("listing", MESSAGE("hold", "4XyZ0", RCPT("bob@dest.example")));
    run(true, false);
    assert_true(table_is_unsure(table));
    assert_int_equal(table_wanted(table), TABLE_WANT_SCAN); /* one more */
    run(true, false);
    assert_false(table_is_unsure(table));
    assert_int_equal(table_wanted(table), 0);
}

static void mail_without_a_claim_is_no_clean_look(void **state)
{
    (void)state;
    make_table_unsure();
    put_text("listing",
             MESSAGE("hold", "4XyZ0", RCPT("bob@dest.example") ", " RCPT("eve@dest.example")));
    for (int n = 0; n < 3; n++)
        run(true, false);
    assert_true(table_is_unsure(table));
    put_text("listing", MESSAGE("hold", "4XyZ0", RCPT("bob@dest.example")));
    run(true, false);
    assert_true(table_is_unsure(table));
    run(true, false);
    assert_false(table_is_unsure(table));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TIDY(claims_that_queued_mail_needs_stay),
        TIDY(a_look_that_failed_frees_nothing),
        TIDY(what_is_wanted_is_wanted_no_more),
        TIDY(recipients_without_a_claim_are_counted),
        TIDY(an_address_that_is_not_shown_whole_keeps_all_claims),
        TIDY(each_look_is_judged_by_itself),
        TIDY(an_address_with_a_question_mark_that_is_claimed_is_itself),
        TIDY(the_record_of_a_message_says_what_is_not_shown),
        TIDY(without_its_record_it_may_be_another_that_looks_the_same),
        TIDY(claims_that_mail_in_either_frontend_needs_stay),
        TIDY(where_one_frontend_cannot_be_asked_nothing_is_freed),
        TIDY(the_same_queue_id_in_both_frontends_is_of_two_messages),
        TIDY(two_clean_looks_end_doubt),
        TIDY(mail_without_a_claim_is_no_clean_look),
    };

    return cmocka_run_group_tests_name("look", tests, NULL, NULL);
}
