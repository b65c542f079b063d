/* test_tidy_loss - what was lost from the store is known until no queued mail needs it */
#include "store/snapshot.h"
#include "tests/unit/tidy_fixture.h"

#define BOB_4                                 \
    {                                         \
        "bob@dest.example", 4, RECORD_CLAIMED \
    }
#define CARL_2                                 \
    {                                          \
        "carl@dest.example", 2, RECORD_CLAIMED \
    }
#define BOB_QUEUED MESSAGE("active", "4BOB", RCPT("bob@dest.example"))
#define CARL_QUEUED MESSAGE("deferred", "4CARL", RCPT("carl@dest.example"))
#define ODD_QUEUED MESSAGE("active", "4ODD", RCPT("odd@dest.example"))

/* A record in a closed segment, one in the last, the claims of both in the table, and a loss. */
static void put_loss(void)
{
    PUT_SEGMENT(1, {"4BOB", {BOB_4}});
    PUT_SEGMENT(2, {"4CARL", {CARL_2}});
    claim("bob@dest.example", 4);
    claim("carl@dest.example", 2);
    put_text("listing", BOB_QUEUED CARL_QUEUED);
    assert_true(folder_set_incomplete(folder, true));
}

static void assert_forgotten(void)
{
    assert_false(folder_is_incomplete(folder));
    assert_int_equal(logged("no mail needs the decisions any more"), 1);
    assert_int_equal(table_wanted(table), 0);
}

static void assert_not_forgotten(void)
{
    assert_true(folder_is_incomplete(folder));
    assert_int_equal(logged("no mail needs the decisions any more"), 0);
    assert_int_equal(table_wanted(table), TABLE_WANT_SCAN);
}

static void it_is_forgotten_when_all_queued_mail_is_recorded(void **state)
{
    (void)state;
    put_loss();
    table_want(table, TABLE_WANT_SCAN);
    assert_true(run(true, false).has_compacted); /* however small it is */
    assert_int_equal(calls(), 2);
    assert_forgotten();
    assert_false(run(true, false).has_compacted); /* now it is small again */
}

static void it_is_forgotten_when_the_queue_is_empty(void **state)
{
    (void)state;
    put_loss();
    put_text("listing", "");
    run(true, false);
    assert_forgotten();
}

static void a_message_without_a_record_may_need_it(void **state)
{
    (void)state;
    put_loss();
    claim("odd@dest.example", 3);
    put_text("listing", BOB_QUEUED ODD_QUEUED CARL_QUEUED);
    for (int n = 0; n < 2; n++) {
        assert_true(run(true, false).has_compacted);
        assert_not_forgotten();
    }
    put_text("listing", BOB_QUEUED CARL_QUEUED);
    run(true, false);
    assert_forgotten();
}

static void the_store_is_left_alone_as_long_as_mail_without_a_decision_is_queued(void **state)
{
    (void)state;
    make_table_unsure();
    put_loss();
    put_text("listing", BOB_QUEUED ODD_QUEUED CARL_QUEUED);
    for (int n = 0; n < 3; n++) {
        assert_false(run(true, false).has_compacted);
        assert_not_forgotten();
    }
    put_text("listing", BOB_QUEUED CARL_QUEUED);
    assert_false(run(true, false).has_compacted);
    assert_not_forgotten();
    assert_true(run(true, false).has_compacted);
    assert_forgotten();
}

/* What is kept since it may be on its way does not count for one that is in the queue. */
static void a_record_of_another_message_does_not_help(void **state)
{
    const struct tidy_config config = {.table = table_path,
                                       .folder = folder,
                                       .frontends = &the_frontend,
                                       .frontend_count = 1,
                                       .wall_ms = wall_ms + 60000};
    struct tidy_result result;

    (void)state;
    put_loss();
    claim("odd@dest.example", 3);
    put_text("listing", ODD_QUEUED CARL_QUEUED);
    assert_true(tidy(&config, &result));
    assert_int_equal(result.store.messages, 2);
    assert_not_forgotten();
}

static void a_message_that_one_look_has_seen_may_need_it(void **state)
{
    (void)state;
    put_loss();
    claim("odd@dest.example", 3);
    put_text("listing", BOB_QUEUED ODD_QUEUED);
    put_text("other", BOB_QUEUED);
    put_text("hook", "[ \"$(wc -l <calls)\" = 2 ] && mv other listing\n");
    run(true, false);
    assert_not_forgotten();
    run(true, false);
    assert_forgotten();
}

static void a_queue_that_cannot_be_seen_may_need_it(void **state)
{
    (void)state;
    put_loss();
    put_text("status", "69\n");
    assert_true(run(false, true).has_compacted);
    assert_not_forgotten();
    put_text("status", "0\n");
    put_text("hook", "[ \"$(wc -l <calls)\" = 3 ] && echo 69 >status\n");
    assert_true(run(false, true).has_compacted);
    assert_int_equal(calls(), 3); /* the second look of this time */
    assert_not_forgotten();
    put_text("status", "0\n");
    run(true, false);
    assert_forgotten();
}

static void it_is_not_forgotten_when_it_is_found(void **state)
{
    struct tidy_result result;

    (void)state;
    put_loss();
    assert_true(folder_set_incomplete(folder, false));
    put_file("journal.0000000003", "no journal", 10);
    PUT_SEGMENT(4, {"4CARL", {CARL_2}});
    result = run(true, true);
    assert_true(result.store.is_damaged);
    assert_not_forgotten();
    assert_names("decisions.cdb incomplete journal.0000000003.damaged-2026-11-23T19:04:43.123Z "
                 "journal.0000000004 tidy.lock ");
    assert_false(run(true, false).store.is_damaged);
    assert_forgotten();
}

static void damage_that_has_to_stay_is_not_forgotten(void **state)
{
    (void)state;
    put_loss();
    put_file("journal.0000000003", "no journal", 10);
    for (int n = 0; n < 2; n++) {
        assert_true(run(true, false).store.is_damaged);
        assert_not_forgotten();
        assert_names("decisions.cdb incomplete journal.0000000003 tidy.lock ");
    }
}

/* They are entries of their own, and so may be lost alone: a table made of what is left would
 * not know that bob's is missing. */
static void a_claim_may_be_lost_without_its_message(void **state)
{
    static const struct decision decision = {"4BOB", {BOB_4, CARL_2}};
    struct record record = record_of(&decision);
    struct snapshot_writer *writer = snapshot_create(folder);

    (void)state;
    assert_non_null(writer);
    snapshot_add_message(writer, "4BOB", record.text, record.len);
    assert_true(snapshot_commit(&writer));
    free(record.text);
    assert_true(folder_set_incomplete(folder, true));
    claim("bob@dest.example", 4); /* carl has had his mail */
    put_text("listing", BOB_QUEUED);
    run(true, false);
    assert_not_forgotten();
    PUT_SEGMENT(1, {"4NEW", {BOB_4}});
    run(true, false);
    assert_forgotten();
}

static void what_fails_is_done_again(void **state)
{
    (void)state;
    put_loss();
    table_want(table, TABLE_WANT_SCAN);
    sync_error = EIO;
    assert_false(run(false, false).has_compacted);
    assert_not_forgotten();
    syncs = 0;
    good_syncs = 3; /* the snapshot, its name, that segments are gone */
    assert_true(run(false, false).has_compacted);
    sync_error = good_syncs = 0;
    assert_int_equal(logged("/" FOLDER_INCOMPLETE ": Input/output error"), 1);
    assert_int_equal(table_wanted(table), TABLE_WANT_SCAN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TIDY(it_is_forgotten_when_all_queued_mail_is_recorded),
        TIDY(it_is_forgotten_when_the_queue_is_empty),
        TIDY(a_message_without_a_record_may_need_it),
        TIDY(the_store_is_left_alone_as_long_as_mail_without_a_decision_is_queued),
        TIDY(a_record_of_another_message_does_not_help),
        TIDY(a_message_that_one_look_has_seen_may_need_it),
        TIDY(a_queue_that_cannot_be_seen_may_need_it),
        TIDY(it_is_not_forgotten_when_it_is_found),
        TIDY(damage_that_has_to_stay_is_not_forgotten),
        TIDY(a_claim_may_be_lost_without_its_message),
        TIDY(what_fails_is_done_again),
    };

    return cmocka_run_group_tests_name("tidy_loss", tests, NULL, NULL);
}
