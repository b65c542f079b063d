/* test_tidy - what goes from the store, what stays, and when nothing is done */
#include "tests/unit/tidy_fixture.h"

/* The store */

/* Three segments, the last of which may be being written to. */
static void put_store(void)
{
    PUT_SEGMENT(1, {"GONE1", {{"bob@dest.example", 4, RECORD_CLAIMED}}},
                {"KEPT1", {{"carl@dest.example", 2, RECORD_CLAIMED}}});
    PUT_SEGMENT(2, {"GONE2", {{"freed@dest.example", 1, RECORD_CLAIMED}}});
    PUT_SEGMENT(3, {"LAST1", {{"dora@dest.example", 1, RECORD_CLAIMED}}});
    claim("bob@dest.example", 4);
    claim("carl@dest.example", 3); /* another priority than on disk */
    put_text("listing", MESSAGE("active", "KEPT1", RCPT("carl@dest.example")));
}

static void what_is_neither_in_the_table_nor_queued_is_dropped(void **state)
{
    struct tidy_result result;

    (void)state;
    put_store();
    result = run(true, true);
    assert_true(result.has_compacted);
    assert_int_equal(result.store.claims, 1);
    assert_int_equal(result.store.messages, 1);
    assert_int_equal(result.store.segments, 2);
    assert_names("decisions.cdb journal.0000000003 tidy.lock ");
    assert_true(has_message("KEPT1"));
    assert_true(has_message("LAST1"));
    assert_false(has_message("GONE1"));
    assert_false(has_message("GONE2"));
    assert_int_equal(logged("store: 1 decisions, 1 messages, 2 segments gone"), 1);
    assert_int_equal(run(true, true).store.messages, 1); /* once more, from the snapshot */
    put_text("listing", "");
    assert_int_equal(run(true, true).store.messages, 0);
    assert_false(has_message("KEPT1"));
}

/* Each by its own queue, though the queue IDs are the same. */
static void records_of_queued_mail_in_either_frontend_stay(void **state)
{
    (void)state;
    PUT_SEGMENT(1, {"SAME1", {{"bob@dest.example", 4, RECORD_CLAIMED}}},
                {"urgent/SAME1", {{"carl@dest.example", 2, RECORD_CLAIMED}}},
                {"SAME2", {{"dora@dest.example", 1, RECORD_CLAIMED}}},
                {"urgent/SAME2", {{"eve@dest.example", 3, RECORD_CLAIMED}}});
    PUT_SEGMENT(2, {"LAST1", {{"fred@dest.example", 1, RECORD_CLAIMED}}});
    put_text("listing", MESSAGE("active", "SAME1", RCPT("bob@dest.example")));
    put_text("urgent",
             "cat <<'END'\n" MESSAGE("hold", "SAME2", RCPT("eve@dest.example")) "END\nexit 0\n");
    for (int n = 0; n < 2; n++) /* then from the snapshot */
        assert_int_equal(run_on(both_frontends, 2, true, true).store.messages, 2);
    assert_true(has_message("SAME1") && has_message("urgent/SAME2"));
    assert_false(has_message("urgent/SAME1") || has_message("SAME2"));
}

static void a_small_store_is_left_alone(void **state)
{
    (void)state;
    put_store();
    assert_false(run(true, false).has_compacted);
    assert_names("journal.0000000001 journal.0000000002 journal.0000000003 tidy.lock ");
    assert_int_equal(calls(), 1);
}

static void a_store_of_many_segments_is_made_smaller(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 80; n++)
        PUT_SEGMENT(n, {"GONE1", {{"bob@dest.example", 4, RECORD_CLAIMED}}});
    assert_int_equal(run(true, false).store.segments, 79);
}

static void where_the_queue_is_not_known_nothing_is_forgotten(void **state)
{
    struct tidy_result result;

    (void)state;
    put_store();
    put_text("status", "69\n");
    result = run(false, true);
    assert_true(result.has_compacted);
    assert_int_equal(result.store.claims, 4);
    assert_int_equal(result.store.messages, 4);
}

static void an_unsure_table_keeps_all_claims_on_disk(void **state)
{
    struct tidy_result result;

    (void)state;
    put_store();
    make_table_unsure(); /* with one of the claims */
    put_text("listing", MESSAGE("active", "KEPT1", RCPT("eve@dest.example")));
    result = run(true, true);
    assert_int_equal(result.store.claims, 4);
    assert_int_equal(result.store.messages, 1);
}

static void what_is_decided_after_the_look_began_is_kept(void **state)
{
    char from[PATH_MAX], to[PATH_MAX], hook[PATH_MAX];

    (void)state;
    put_store();
    PUT_SEGMENT(9, {"NEW1", {{"eve@dest.example", 1, RECORD_CLAIMED}}});
    assert_int_equal(rename(path_of("journal.0000000009", from), path_of("prepared", to)), 0);
    snprintf(hook, sizeof hook,
             "if [ -e %s/prepared ]; then\n"
             "    mv %s/prepared %s/journal.0000000004\n"
             "    : >%s/journal.0000000005\n"
             "fi\n",
             folder, folder, folder, folder);
    put_text("hook", hook);
    assert_int_equal(run(true, true).store.segments, 2);
    assert_names("decisions.cdb journal.0000000003 journal.0000000004 journal.0000000005 "
                 "tidy.lock ");
    assert_true(has_message("NEW1"));
    assert_true(has_message("LAST1"));
    assert_int_equal(run(true, true).store.segments, 2); /* but not for ever */
    assert_false(has_message("NEW1"));
}

static void a_message_that_may_not_be_in_the_queue_yet_is_kept(void **state)
{
    const struct tidy_config config = {.table = table_path,
                                       .folder = folder,
                                       .frontends = &the_frontend,
                                       .frontend_count = 1,
                                       .wall_ms = wall_ms + 60000,
                                       .force = true};
    struct tidy_result result;

    (void)state;
    put_store();
    assert_true(tidy(&config, &result));
    assert_int_equal(result.store.messages, 4);
    assert_true(tidy(&config, &result)); /* from the snapshot */
    assert_int_equal(result.store.messages, 4);
    assert_int_equal(run(true, true).store.messages, 1);
}

static void a_message_from_a_time_to_come_is_not_on_its_way(void **state)
{
    struct tidy_config config = {.table = table_path,
                                 .folder = folder,
                                 .frontends = &the_frontend,
                                 .frontend_count = 1,
                                 .force = true};
    struct tidy_result result;

    (void)state;
    put_store();
    config.wall_ms = wall_ms - 60000; /* decided during the look */
    assert_true(tidy(&config, &result));
    assert_int_equal(result.store.messages, 4);
    config.wall_ms = wall_ms - DAY_MS; /* the clock was wrong then */
    assert_true(tidy(&config, &result));
    assert_int_equal(result.store.messages, 1);
}

static void a_message_that_moves_during_a_look_is_kept(void **state)
{
    (void)state;
    put_store();
    put_text("hook", "[ \"$(wc -l <calls)\" = 2 ] && : >listing\n");
    assert_int_equal(run(true, true).store.messages, 1);
    assert_int_equal(calls(), 2);
    assert_true(has_message("KEPT1"));
}

/* Not now */

static void one_process_at_a_time(void **state)
{
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char path[PATH_MAX];
    int fd = open(path_of("tidy.lock", path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &range), 0);
    table_want(table, TABLE_WANT_SCAN);
    assert_false(run(true, true).has_looked);
    assert_int_equal(logged("another process"), 1);
    assert_int_equal(calls(), 0);
    assert_int_equal(table_wanted(table), TABLE_WANT_SCAN);
    close(fd);
    assert_true(run(true, true).has_looked);
}

static void without_a_table_there_is_nothing_to_do(void **state)
{
    (void)state;
    table_close(&table);
    assert_int_equal(unlink(table_path), 0);
    assert_int_equal(unlink(table_lock_path), 0);
    assert_false(run(true, true).has_looked);
    assert_int_equal(logged("nothing to do yet"), 1);
    assert_int_equal(access(table_path, F_OK), -1);
    assert_int_equal(access(table_lock_path, F_OK), -1);
    assert_names("");
    assert_int_equal(calls(), 0);
}

static void a_table_that_cannot_be_used_is_left_alone(void **state)
{
    (void)state;
    table_close(&table);
    put_text("decisions", "no table");
    assert_false(run(true, true).has_looked);
    assert_int_equal(logged("nothing to do yet"), 1);
    assert_names("");
}

static void a_table_that_is_replaced_meanwhile_decides_nothing(void **state)
{
    (void)state;
    put_store();
    put_text("hook", "rm -f decisions\n");
    assert_false(run(false, true).has_compacted);
    assert_names("journal.0000000001 journal.0000000002 journal.0000000003 tidy.lock ");
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    const struct tidy_config config = {.table = table_path,
                                       .folder = "/nonexistent",
                                       .frontends = &the_frontend,
                                       .frontend_count = 1};
    struct tidy_result result;

    (void)state;
    assert_false(tidy(&config, &result));
    assert_int_equal(logged("/nonexistent/tidy.lock"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TIDY(what_is_neither_in_the_table_nor_queued_is_dropped),
        TIDY(records_of_queued_mail_in_either_frontend_stay),
        TIDY(a_small_store_is_left_alone),
        TIDY(a_store_of_many_segments_is_made_smaller),
        TIDY(where_the_queue_is_not_known_nothing_is_forgotten),
        TIDY(an_unsure_table_keeps_all_claims_on_disk),
        TIDY(what_is_decided_after_the_look_began_is_kept),
        TIDY(a_message_that_may_not_be_in_the_queue_yet_is_kept),
        TIDY(a_message_from_a_time_to_come_is_not_on_its_way),
        TIDY(a_message_that_moves_during_a_look_is_kept),
        TIDY(one_process_at_a_time),
        TIDY(without_a_table_there_is_nothing_to_do),
        TIDY(a_table_that_cannot_be_used_is_left_alone),
        TIDY(a_table_that_is_replaced_meanwhile_decides_nothing),
        TIDY(a_folder_that_is_not_there_is_an_error),
    };

    return cmocka_run_group_tests_name("tidy", tests, NULL, NULL);
}
