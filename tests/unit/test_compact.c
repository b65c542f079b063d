/* test_compact - the latest of each key and message stays, where it is wanted */
#include "store/compact.h"

#include "store/journal.h"
#include "tests/unit/compact_fixture.h"

static void the_latest_of_each_stays(void **state)
{
    struct compact_result result;

    (void)state;
    PUT_SEGMENT(1, bob_4);
    PUT_SEGMENT(2, bob_0, eve_1);
    result = compact_all();
    assert_int_equal(result.claims, 2);
    assert_int_equal(result.messages, 2);
    assert_int_equal(result.segments, 2);
    assert_false(result.is_damaged);
    assert_names("decisions.cdb ");
    ASSERT_SNAPSHOT("bob@dest.example=0 4B", "eve@dest.example=1 4A", "4A: 3", "4B: 2");
    assert_int_equal(logged("\n"), 0);
}

static void the_old_snapshot_is_older_than_any_segment(void **state)
{
    (void)state;
    PUT_SEGMENT(1, bob_4, eve_1);
    compact_all();
    PUT_SEGMENT(1, bob_0);
    compact_all();
    ASSERT_SNAPSHOT("bob@dest.example=0 4B", "eve@dest.example=1 4A", "4A: 3", "4B: 2");
    assert_int_equal(compact_all().claims, 2);
    ASSERT_SNAPSHOT("bob@dest.example=0 4B", "eve@dest.example=1 4A", "4A: 3", "4B: 2");
}

static void within_a_segment_and_a_record_the_last_is_the_latest(void **state)
{
    static const struct decision twice = {
        "4C", {{"bob@dest.example", 4, RECORD_CLAIMED}, {"bob@dest.example", 2, RECORD_CLAIMED}}};

    (void)state;
    PUT_SEGMENT(1, bob_4, bob_0, twice);
    compact_all();
    ASSERT_SNAPSHOT("bob@dest.example=2 4C", "4A: 2", "4B: 2", "4C: 3");
}

static void a_key_may_be_spelled_like_a_queue_id(void **state)
{
    static const struct decision alike = {"root", {{"4A", 3, RECORD_CLAIMED}}};

    (void)state;
    PUT_SEGMENT(1, bob_4, alike);
    compact_all();
    ASSERT_SNAPSHOT("bob@dest.example=4 4A", "4A=3 root", "4A: 2", "root: 2");
    compact_all();
    ASSERT_SNAPSHOT("bob@dest.example=4 4A", "4A=3 root", "4A: 2", "root: 2");
}

static bool wants_low(void *arg, const char *key, size_t key_len, int priority)
{
    (void)arg;
    assert_int_equal(strnlen(key, key_len), key_len);
    return priority < 4;
}

static bool wants_4b(void *arg, const char *queue_id, int64_t decided_wall_ms)
{
    assert_true(decided_wall_ms == wall_ms);
    ++*(int *)arg;
    return strcmp(queue_id, "4B") == 0;
}

/* And an older claim on a key does not come back because nobody wants the latest. */
static void what_nobody_wants_goes(void **state)
{
    static const struct decision bob_5 = {"4C", {{"bob@dest.example", 5, RECORD_CLAIMED}}};
    int asked = 0;
    const struct compact_config config = {.segments = COMPACT_ALL,
                                          .wants_claim = wants_low,
                                          .wants_message = wants_4b,
                                          .arg = &asked};

    (void)state;
    for (int round = 0; round < 2; round++) { /* from segments, from a snapshot */
        struct compact_result result;

        PUT_SEGMENT(1, bob_4, bob_0, eve_1);
        if (round == 1)
            compact_all();
        PUT_SEGMENT(2, bob_5);
        asked = 0;
        result = compact_with(config);
        assert_int_equal(asked, 3);
        assert_int_equal(result.claims, 1);
        assert_int_equal(result.messages, 1);
        ASSERT_SNAPSHOT("eve@dest.example=1 4A", "4B: 2");
        empty_folder();
    }
}

static void the_last_segment_may_stay(void **state)
{
    const struct compact_config closed = {.segments = COMPACT_CLOSED};

    (void)state;
    PUT_SEGMENT(3, bob_4);
    PUT_SEGMENT(11, eve_1);
    PUT_SEGMENT(12, bob_0);
    for (size_t gone = 2;; gone = 0) { /* and once more, from the snapshot */
        struct compact_result result = compact_with(closed);

        assert_int_equal(result.segments, gone);
        assert_int_equal(result.claims, 2);
        assert_int_equal(result.messages, 2);
        assert_names("decisions.cdb journal.0000000012 ");
        ASSERT_SNAPSHOT("bob@dest.example=0 4B", "eve@dest.example=1 4A", "4A: 3", "4B: 2");
        if (gone == 0)
            break;
    }
    assert_int_equal(logged("\n"), 0);
}

static void without_segments_there_is_none_to_stay(void **state)
{
    (void)state;
    assert_int_equal(compact_with((struct compact_config){.segments = COMPACT_CLOSED}).segments, 0);
    assert_names("decisions.cdb ");
}

static void later_segments_may_stay(void **state)
{
    const struct compact_config below = {.segments = COMPACT_ALL, .segments_below = 11};

    (void)state;
    PUT_SEGMENT(3, bob_4);
    PUT_SEGMENT(11, bob_0);
    PUT_SEGMENT(12, eve_1);
    assert_int_equal(compact_with(below).segments, 1);
    assert_names("decisions.cdb journal.0000000011 journal.0000000012 ");
    ASSERT_SNAPSHOT("bob@dest.example=0 4B", "eve@dest.example=1 4A", "4A: 3", "4B: 2");
    assert_int_equal(compact_with(below).segments, 0);
    assert_names("decisions.cdb journal.0000000011 journal.0000000012 ");
    ASSERT_SNAPSHOT("bob@dest.example=0 4B", "eve@dest.example=1 4A", "4A: 3", "4B: 2");
}

static void both_say_which_stay(void **state)
{
    (void)state;
    PUT_SEGMENT(1, bob_4);
    PUT_SEGMENT(2, bob_0);
    assert_int_equal(
        compact_with((struct compact_config){.segments = COMPACT_CLOSED, .segments_below = 9})
            .segments,
        1);
    assert_int_equal(
        compact_with((struct compact_config){.segments = COMPACT_CLOSED, .segments_below = 1})
            .segments,
        0);
    assert_names("decisions.cdb journal.0000000002 ");
}

/* More keys than the table of a first guess, to see that none is lost. */
static void many_claims_find_room(void **state)
{
    enum { SEGMENTS = 10, RECORDS = 20 };
    struct compact_result result;
    char queue_ids[RECORDS][16], keys[RECORDS][3][32];

    (void)state;
    for (unsigned n = 0; n < SEGMENTS; n++) {
        struct decision decisions[RECORDS];

        memset(decisions, 0, sizeof decisions);
        for (unsigned m = 0; m < RECORDS; m++) {
            snprintf(queue_ids[m], sizeof queue_ids[m], "4X%u", n * RECORDS + m);
            decisions[m].queue_id = queue_ids[m];
            for (unsigned k = 0; k < 3; k++) {
                snprintf(keys[m][k], sizeof keys[m][k], "u%u-%u@dest.example", n * RECORDS + m, k);
                decisions[m].claims[k] = (struct claim){keys[m][k], 4, RECORD_CLAIMED};
            }
        }
        put_segment(n + 1, decisions, RECORDS, NULL);
    }
    result = compact_all();
    assert_int_equal(result.claims, 3 * SEGMENTS * RECORDS);
    assert_int_equal(result.messages, SEGMENTS * RECORDS);
}

/* When */

static void put_size(const char *name, off_t size)
{
    char path[PATH_MAX];

    put_file(name, "", 0);
    assert_int_equal(truncate(path_of(name, path), size), 0);
}

static void it_is_worthwhile_when_much_has_been_closed(void **state)
{
    char name[32];

    (void)state;
    assert_false(compact_is_worthwhile(folder));
    put_size("journal.0000000001", JOURNAL_SEGMENT_MAX);
    assert_false(compact_is_worthwhile(folder)); /* it is open */
    put_size("journal.0000000002", 0);
    assert_false(compact_is_worthwhile(folder));
    put_size("journal.0000000003", 1);
    assert_false(compact_is_worthwhile(folder));
    put_size("journal.0000000002", 1);
    assert_true(compact_is_worthwhile(folder));
    put_size(FOLDER_SNAPSHOT, JOURNAL_SEGMENT_MAX);
    assert_true(compact_is_worthwhile(folder));
    put_size(FOLDER_SNAPSHOT, JOURNAL_SEGMENT_MAX + 2);
    assert_false(compact_is_worthwhile(folder));
    for (uint64_t n = 4; n <= 64; n++)
        put_size(segment_name(n, name), 0);
    assert_false(compact_is_worthwhile(folder));
    put_size("journal.0000000065", 0);
    assert_true(compact_is_worthwhile(folder));
    assert_false(compact_is_worthwhile("/nonexistent/folder"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(the_latest_of_each_stays),
        WITH_FOLDER(the_old_snapshot_is_older_than_any_segment),
        WITH_FOLDER(within_a_segment_and_a_record_the_last_is_the_latest),
        WITH_FOLDER(a_key_may_be_spelled_like_a_queue_id),
        WITH_FOLDER(what_nobody_wants_goes),
        WITH_FOLDER(the_last_segment_may_stay),
        WITH_FOLDER(without_segments_there_is_none_to_stay),
        WITH_FOLDER(later_segments_may_stay),
        WITH_FOLDER(both_say_which_stay),
        WITH_FOLDER(many_claims_find_room),
        WITH_FOLDER(it_is_worthwhile_when_much_has_been_closed),
    };

    return cmocka_run_group_tests_name("compact", tests, NULL, NULL);
}
