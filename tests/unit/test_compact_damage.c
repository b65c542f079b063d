/* test_compact_damage - nothing goes before it is safe, and nothing damaged goes at all */
#include "store/compact.h"

#include <sys/syscall.h>

#include "tests/unit/compact_fixture.h"

static const char *cannot_unlink; /* a name */

int unlink(const char *path)
{
    if (cannot_unlink != NULL && strstr(path, cannot_unlink) != NULL) {
        errno = EPERM;
        return -1;
    }
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

static void what_is_damaged_is_set_aside(void **state)
{
    struct compact_result result;

    (void)state;
    put_file(FOLDER_SNAPSHOT, "no snapshot", 11);
    put_file("journal.0000000001", "no journal", 10);
    PUT_SEGMENT(2, bob_4);
    PUT_SEGMENT(3, eve_1);
    result = compact_with((struct compact_config){.segments = COMPACT_CLOSED});
    assert_true(result.is_damaged);
    assert_int_equal(result.segments, 2);
    assert_names("decisions.cdb decisions.cdb" ASIDE " incomplete journal.0000000001" ASIDE
                 " journal.0000000003 ");
    assert_file(FOLDER_SNAPSHOT ASIDE, (const unsigned char *)"no snapshot", 11);
    ASSERT_SNAPSHOT("bob@dest.example=4 4A", "eve@dest.example=1 4A", "4A: 3");
    assert_file(FOLDER_INCOMPLETE, (const unsigned char *)"", 0);
    assert_int_equal(logged("decisions.cdb is damaged: "), 1);
    assert_int_equal(logged("journal.0000000001 is damaged: 10 bytes"), 1);
    assert_int_equal(logged(" is damaged, and is kept as "), 2);
    assert_int_equal(logged("\n"), 4);
}

/* It is set aside when it may go. */
static void a_damaged_segment_may_stay(void **state)
{
    struct compact_config below = {.segments = COMPACT_CLOSED, .segments_below = 3};
    struct compact_result result;

    (void)state;
    PUT_SEGMENT(1, bob_4);
    PUT_SEGMENT(2, eve_1);
    put_file("journal.0000000003", "no journal", 10);
    PUT_SEGMENT(4, bob_0);
    result = compact_with(below);
    assert_true(result.is_damaged);
    assert_int_equal(result.segments, 2);
    assert_names("decisions.cdb incomplete journal.0000000003 journal.0000000004 ");
    assert_file("journal.0000000003", (const unsigned char *)"no journal", 10);
    ASSERT_SNAPSHOT("bob@dest.example=0 4B", "eve@dest.example=1 4A", "4A: 3", "4B: 2");
    below.segments_below = 4;
    assert_true(compact_with(below).is_damaged);
    assert_names("decisions.cdb incomplete journal.0000000003" ASIDE " journal.0000000004 ");
    assert_false(compact_with(below).is_damaged);
    assert_true(folder_is_incomplete(folder)); /* as long as nobody says otherwise */
}

static void damage_that_is_known_is_not_told_again(void **state)
{
    (void)state;
    put_file("journal.0000000001", "no journal", 10);
    assert_true(compact_with((struct compact_config){.segments = COMPACT_ALL, .is_reported = true})
                    .is_damaged);
    assert_int_equal(logged("\n"), 1);
}

static void a_write_cut_short_is_no_damage(void **state)
{
    size_t len;
    unsigned char *bytes;

    (void)state;
    PUT_SEGMENT(1, bob_4, bob_0);
    bytes = get_file("journal.0000000001", &len);
    put_file("journal.0000000001", bytes, len - 1);
    free(bytes);
    assert_false(compact_all().is_damaged);
    assert_names("decisions.cdb ");
    ASSERT_SNAPSHOT("bob@dest.example=4 4A", "4A: 2");
}

/* A journal is writing to it, or has just made it shorter. */
static void a_live_segment_that_is_torn_is_no_damage(void **state)
{
    unsigned char *bytes, *zeros;
    size_t end, len;

    (void)state;
    PUT_SEGMENT(1, eve_1);
    PUT_SEGMENT(2, bob_4);
    free(get_file("journal.0000000002", &end));
    PUT_SEGMENT(2, bob_4, bob_0);
    bytes = get_file("journal.0000000002", &len);
    zeros = calloc(1, len);
    assert_non_null(zeros);
    for (size_t cut = end; cut < len; cut++) {
        for (int is_filled = 0; is_filled < 2; is_filled++) {
            memcpy(zeros, bytes, cut);
            put_file("journal.0000000002", zeros, is_filled ? len : cut);
            assert_false(
                compact_with((struct compact_config){.segments = COMPACT_CLOSED}).is_damaged);
            assert_names("decisions.cdb journal.0000000002 ");
            ASSERT_SNAPSHOT("bob@dest.example=4 4A", "eve@dest.example=1 4A", "4A: 2");
        }
    }
    free(zeros);
    free(bytes);
    assert_int_equal(logged("\n"), 0);
}

static bool cut_last(void *arg, const char *queue_id, int64_t decided_wall_ms)
{
    (void)queue_id, (void)decided_wall_ms;
    assert_int_equal(truncate(arg, 0), 0);
    return true;
}

static void a_live_segment_may_become_shorter_meanwhile(void **state)
{
    char path[PATH_MAX];

    (void)state;
    PUT_SEGMENT(1, eve_1);
    PUT_SEGMENT(2, bob_4, bob_0);
    path_of("journal.0000000002", path);
    assert_false(compact_with((struct compact_config){.segments = COMPACT_CLOSED,
                                                      .wants_message = cut_last,
                                                      .arg = path})
                     .is_damaged);
    ASSERT_SNAPSHOT("bob@dest.example=0 4B", "eve@dest.example=1 4A", "4A: 2", "4B: 2");
}

/* In a snapshot whose sums are right. */
static void what_makes_no_sense_is_damage(void **state)
{
    struct snapshot_writer *writer = snapshot_create(folder);

    (void)state;
    assert_non_null(writer);
    snapshot_add_claim(writer, "eve@dest.example", 16, "high", 4);
    snapshot_add_message(writer, "4C", "Hello!\n", 7);
    assert_true(snapshot_commit(&writer));
    PUT_SEGMENT(1, bob_4);
    assert_true(compact_all().is_damaged);
    assert_names("decisions.cdb decisions.cdb" ASIDE " incomplete ");
    ASSERT_SNAPSHOT("bob@dest.example=4 4A", "4A: 2");
    assert_int_equal(logged("decisions.cdb is damaged: 2 parts"), 1);
}

/* Failures */

/* What is damaged is known from then on, whatever becomes of it. */
static void what_fails_leaves_all_but_the_mark(void **state)
{
    const struct compact_config config = {
        .folder = folder, .segments = COMPACT_ALL, .wall_ms = wall_ms};
    struct compact_result result;
    char path[PATH_MAX];

    (void)state;
    put_file(FOLDER_SNAPSHOT, "no snapshot", 11);
    PUT_SEGMENT(1, bob_4);
    assert_int_equal(symlink("elsewhere", path_of("journal.0000000002", path)), 0);
    assert_false(compact(&config, &result, why));
    assert_non_null(strstr(why, "journal.0000000002"));
    assert_int_equal(unlink(path), 0);
    assert_names("decisions.cdb journal.0000000001 ");
    assert_int_equal(mkdir(path_of(FOLDER_INCOMPLETE, path), 0700), 0);
    assert_false(compact(&config, &result, why));
    assert_non_null(strstr(why, "Is a directory"));
    assert_int_equal(rmdir(path), 0);
    assert_names("decisions.cdb journal.0000000001 "); /* not without the mark */
    limit_files(1000);
    assert_false(compact(&config, &result, why));
    limit_files(RLIM_INFINITY);
    assert_non_null(strstr(why, "File too large"));
    assert_names("decisions.cdb incomplete journal.0000000001 ");
    sync_error = ENOSPC;
    assert_false(compact(&config, &result, why));
    sync_error = 0;
    assert_non_null(strstr(why, "No space left"));
    assert_names("decisions.cdb incomplete journal.0000000001 ");
    assert_file(FOLDER_SNAPSHOT, (const unsigned char *)"no snapshot", 11);
    assert_int_equal(logged("\n"), 0);
}

/* Of the folder, after the new snapshot has its name: the damaged one has but one name left. */
static void a_sync_that_fails_last_leaves_what_is_damaged(void **state)
{
    const struct compact_config config = {
        .folder = folder, .segments = COMPACT_ALL, .wall_ms = wall_ms};
    struct compact_result result;

    (void)state;
    PUT_SEGMENT(1, bob_4);
    for (int good = 0; good < 3; good++) { /* the mark, the file, the folder */
        put_file(FOLDER_SNAPSHOT, "no snapshot", 11);
        syncs = 0;
        good_syncs = good;
        sync_error = EIO;
        assert_false(compact(&config, &result, why));
        sync_error = good_syncs = 0;
        assert_non_null(strstr(why, "Input/output error"));
        assert_names(good < 2 ? "decisions.cdb incomplete journal.0000000001 "
                              : "decisions.cdb decisions.cdb" ASIDE
                                " incomplete journal.0000000001 ");
        assert_file(good < 2 ? FOLDER_SNAPSHOT : FOLDER_SNAPSHOT ASIDE,
                    (const unsigned char *)"no snapshot", 11);
    }
}

static void no_folder_is_an_error(void **state)
{
    const struct compact_config config = {.folder = "/nonexistent/folder"};
    struct compact_result result;

    (void)state;
    assert_false(compact(&config, &result, why));
    assert_non_null(strstr(why, "/nonexistent/folder"));
}

/* Else an old segment would be read after the snapshot that knows better. */
static void no_segment_goes_before_an_older_one(void **state)
{
    (void)state;
    PUT_SEGMENT(1, bob_4);
    PUT_SEGMENT(2, bob_4);
    PUT_SEGMENT(3, bob_0);
    cannot_unlink = "journal.0000000002";
    assert_int_equal(compact_all().segments, 1);
    cannot_unlink = NULL;
    assert_names("decisions.cdb journal.0000000002 journal.0000000003 ");
    assert_int_equal(logged("warning: remove "), 1);
    assert_int_equal(compact_all().segments, 2);
    ASSERT_SNAPSHOT("bob@dest.example=0 4B", "4A: 2", "4B: 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(what_is_damaged_is_set_aside),
        WITH_FOLDER(a_damaged_segment_may_stay),
        WITH_FOLDER(damage_that_is_known_is_not_told_again),
        WITH_FOLDER(a_write_cut_short_is_no_damage),
        WITH_FOLDER(a_live_segment_that_is_torn_is_no_damage),
        WITH_FOLDER(a_live_segment_may_become_shorter_meanwhile),
        WITH_FOLDER(what_makes_no_sense_is_damage),
        WITH_FOLDER(what_fails_leaves_all_but_the_mark),
        WITH_FOLDER(a_sync_that_fails_last_leaves_what_is_damaged),
        WITH_FOLDER(no_folder_is_an_error),
        WITH_FOLDER(no_segment_goes_before_an_older_one),
    };

    return cmocka_run_group_tests_name("compact_damage", tests, NULL, NULL);
}
