/* test_recover_damage - what is damaged is named, kept aside, and known until nothing misses it */
#include "store/recover.h"

#include "store/snapshot.h"
#include "tests/unit/recover_fixture.h"

static void flip_a_byte(const char *name, size_t at)
{
    size_t len;
    unsigned char *bytes = get_file(name, &len);

    bytes[at < len ? at : len - 1] ^= 0x20;
    put_file(name, bytes, len);
    free(bytes);
}

static void damage_is_logged_once_and_by_name(void **state)
{
    struct heard heard;

    (void)state;
    put_segment(1, decisions, 2, NULL);
    compact_all();
    put_segments();
    flip_a_byte(FOLDER_SNAPSHOT, 3000);
    flip_a_byte("journal.0000000001", 30);
    flip_a_byte("journal.0000000003", 30);
    assert_true(recover_all(&heard).is_damaged);
    assert_int_equal(logged("/decisions.cdb is damaged: "), 1);
    assert_int_equal(logged("/journal.0000000001 is damaged: 73 bytes and 0 records"), 1);
    assert_int_equal(logged("/journal.0000000003 is damaged: "), 1);
    assert_int_equal(logged(" is damaged, and is kept as "), 3);
    assert_int_equal(logged("\n"), 6);
    assert_names("decisions.cdb decisions.cdb" ASIDE " incomplete journal.0000000001" ASIDE
                 " journal.0000000003" ASIDE " ");
}

static void what_is_torn_counts_apart_from_what_is_damaged(void **state)
{
    struct heard heard;
    unsigned char *bytes;
    size_t len;

    (void)state;
    put_segment(1, decisions, 3, NULL);
    bytes = get_file("journal.0000000001", &len);
    bytes[30] ^= 0x20;
    put_file("journal.0000000001", bytes, len - 4);
    free(bytes);
    assert_true(recover_all(&heard).is_damaged);
    assert_int_equal(heard.count, 3);
    assert_int_equal(logged("is damaged: 73 bytes and 0 records"), 1);
    assert_int_equal(logged("ends with 70 bytes of a write that was cut short"), 1);
}

static void what_is_whole_but_no_record_is_damage(void **state)
{
    static const char half[] = "4F 2026-11-22T19:04:43.123Z plain\n4 8 + ann@dest.example\n4 8 ?\n";
    static const char none[] = "Hello!\n";
    struct record record = record_of(&decisions[0]);
    struct heard heard, expected = {0};
    struct recover_result result;
    unsigned char bytes[1024];
    size_t len;

    (void)state;
    len = put_frame(bytes, half, sizeof half - 1);
    len += put_frame(bytes + len, none, sizeof none - 1);
    len += put_frame(bytes + len, "", 0);
    len += put_frame(bytes + len, record.text, record.len);
    put_file("journal.0000000001", bytes, len);
    hear(&expected, "ann@dest.example", 16, 4);
    expect(&expected, &decisions[0]);
    result = recover_all(&heard);
    assert_heard(&heard, &expected);
    assert_int_equal(result.messages, 1);
    assert_true(result.is_damaged);
    assert_int_equal(logged(" 0 bytes and 3 records of it cannot be read"), 1);
    assert_repaired(&heard, "decisions.cdb incomplete journal.0000000001" ASIDE " ");
    assert_int_equal(recover_all(&heard).messages, 1);
    free(record.text);
}

static void what_is_no_snapshot_is_damage(void **state)
{
    static const size_t lens[] = {0, 1, 2048, 5000};
    static const char garbage[5000] = "bob@dest.example 4\n";
    struct heard heard, expected = {0};

    (void)state;
    expect(&expected, &decisions[0]);
    for (size_t n = 0; n < LENGTH(lens); n++) {
        put_file(FOLDER_SNAPSHOT, garbage, lens[n]);
        PUT_SEGMENT(1, decisions[0]);
        assert_true(recover_all(&heard).is_damaged);
        assert_heard(&heard, &expected);
        assert_repaired(&heard, "decisions.cdb decisions.cdb" ASIDE " incomplete ");
        assert_file(FOLDER_SNAPSHOT ASIDE, (const unsigned char *)garbage, lens[n]);
        empty_folder();
    }
}

/* A value of another kind, although its sum is right. */
static void a_claim_that_makes_no_sense_is_damage(void **state)
{
    struct snapshot_writer *writer = snapshot_create(folder);
    struct heard heard, expected = {0};

    (void)state;
    assert_non_null(writer);
    snapshot_add_claim(writer, "bob@dest.example", 16, "high", 4);
    snapshot_add_claim(writer, "eve@dest.example", 16, "4 4XyZ0 8 2026-11-22T19:04:43.123Z", 34);
    assert_true(snapshot_commit(&writer));
    hear(&expected, "eve@dest.example", 16, 4);
    assert_true(recover_all(&heard).is_damaged);
    assert_heard(&heard, &expected);
    assert_repaired(&heard, "decisions.cdb decisions.cdb" ASIDE " incomplete ");
}

static void without_room_the_damaged_files_stay(void **state)
{
    struct heard heard, again;
    struct recover_result result;
    unsigned char *bytes;
    size_t len;

    (void)state;
    put_segment(1, decisions, 2, NULL);
    compact_all();
    flip_a_byte(FOLDER_SNAPSHOT, 3000);
    put_segments();
    flip_a_byte("journal.0000000001", 30);
    bytes = get_file(FOLDER_SNAPSHOT, &len);
    limit_files(2000); /* no snapshot is as small as that, but the log is */
    result = recover_all(&heard);
    limit_files(RLIM_INFINITY);
    assert_true(result.is_damaged);
    assert_int_equal(logged("stays there for now"), 1);
    assert_file(FOLDER_SNAPSHOT, bytes, len);
    assert_names("decisions.cdb incomplete journal.0000000001 journal.0000000002 "
                 "journal.0000000003 ");
    sync_error = EIO;
    assert_true(recover_all(&again).is_damaged);
    sync_error = 0;
    assert_heard(&again, &heard);
    assert_int_equal(logged("stays there for now"), 2);
    assert_file(FOLDER_SNAPSHOT, bytes, len);
    assert_names("decisions.cdb incomplete journal.0000000001 journal.0000000002 "
                 "journal.0000000003 ");
    assert_true(recover_all(&again).is_damaged);
    assert_heard(&again, &heard);
    assert_repaired(&heard,
                    "decisions.cdb decisions.cdb" ASIDE " incomplete journal.0000000001" ASIDE " ");
    free(bytes);
}

/* Crashes */

/* Segments that are in the snapshot go one by one, the oldest first: at any moment the rest of them
 * comes after it. */
static void a_crash_while_segments_go_changes_nothing(void **state)
{
    struct heard heard, expected = {0};
    unsigned char *bytes;
    size_t len;

    (void)state;
    for (size_t n = 0; n < LENGTH(decisions); n++)
        expect(&expected, &decisions[n]);
    put_segments();
    compact_all();
    assert_names("decisions.cdb ");
    bytes = get_file(FOLDER_SNAPSHOT, &len);
    for (size_t gone = 0; gone <= SEGMENTS; gone++) {
        char path[PATH_MAX], name[32];

        empty_folder();
        put_segments();
        put_file(FOLDER_SNAPSHOT, bytes, len);
        for (size_t n = 1; n <= gone; n++)
            assert_int_equal(unlink(path_of(segment_name(n, name), path)), 0);
        assert_false(recover_all(&heard).is_damaged);
        assert_same_end(&heard, &expected);
    }
    free(bytes);
}

/* The mark comes before all else: with it alone, nobody takes the store for whole. */
static void a_crash_behind_the_mark_leaves_it(void **state)
{
    struct heard heard;

    (void)state;
    assert_true(folder_set_incomplete(folder, true));
    assert_true(recover_all(&heard).is_damaged);
    assert_int_equal(heard.count, 0);
    put_segments();
    assert_true(recover_all(&heard).is_damaged);
    assert_names("incomplete journal.0000000001 journal.0000000002 journal.0000000003 ");
    assert_int_equal(logged("\n"), 0);
}

/* A damaged segment has its second name already, and still its first. */
static void a_crash_while_a_segment_is_set_aside_loses_nothing(void **state)
{
    char from[PATH_MAX], to[PATH_MAX];
    struct heard heard;

    (void)state;
    put_segments();
    flip_a_byte("journal.0000000001", 30);
    assert_int_equal(
        link(path_of("journal.0000000001", from), path_of("journal.0000000001" ASIDE, to)), 0);
    assert_true(recover_all(&heard).is_damaged);
    assert_repaired(&heard, "decisions.cdb incomplete journal.0000000001" ASIDE
                            " journal.0000000001" ASIDE "-1 ");
}

/* The damaged snapshot has its second name already, the new one not yet its place. */
static void a_crash_before_the_new_snapshot_is_there_loses_nothing(void **state)
{
    char from[PATH_MAX], to[PATH_MAX];
    struct heard heard;

    (void)state;
    put_segment(1, decisions, LENGTH(decisions), NULL);
    compact_all();
    flip_a_byte(FOLDER_SNAPSHOT, 100);
    assert_int_equal(link(path_of(FOLDER_SNAPSHOT, from), path_of(FOLDER_SNAPSHOT ASIDE, to)), 0);
    put_file(FOLDER_SNAPSHOT ".new", "half", 4);
    assert_true(recover_all(&heard).is_damaged);
    assert_int_equal(heard.count, 4);
    assert_repaired(&heard,
                    "decisions.cdb decisions.cdb" ASIDE " decisions.cdb" ASIDE "-1 incomplete ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(damage_is_logged_once_and_by_name),
        WITH_FOLDER(what_is_torn_counts_apart_from_what_is_damaged),
        WITH_FOLDER(what_is_whole_but_no_record_is_damage),
        WITH_FOLDER(what_is_no_snapshot_is_damage),
        WITH_FOLDER(a_claim_that_makes_no_sense_is_damage),
        WITH_FOLDER(without_room_the_damaged_files_stay),
        WITH_FOLDER(a_crash_while_segments_go_changes_nothing),
        WITH_FOLDER(a_crash_behind_the_mark_leaves_it),
        WITH_FOLDER(a_crash_while_a_segment_is_set_aside_loses_nothing),
        WITH_FOLDER(a_crash_before_the_new_snapshot_is_there_loses_nothing),
    };

    return cmocka_run_group_tests_name("recover_damage", tests, NULL, NULL);
}
