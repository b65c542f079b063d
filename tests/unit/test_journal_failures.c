/* test_journal_failures - a journal that cannot write or sync says so, and works again afterwards
 */
#include "store/journal.h"

#include <signal.h>
#include <sys/resource.h>

#include "tests/unit/journal_fixture.h"

enum { NOBODY = 65534 };

static int fail_always(int nth)
{
    (void)nth;
    return fail_sync();
}

static int fail_second(int nth)
{
    return nth == 2 ? fail_sync() : 0;
}

static void after_a_failed_sync_another_segment_is_begun(void **state)
{
    (void)state;
    sync_does = fail_second;
    assert_true(append("a\n", JOURNAL_SYNC));
    assert_false(append("b\n", JOURNAL_SYNC));
    assert_kept("a\n");
    assert_segments("1");
    assert_true(journal_has_closed_segments(journal));
    assert_true(append("c\n", JOURNAL_SYNC));
    assert_segments("1 2");
    assert_kept("a\nc\n");
    assert_int_equal(journal_stats(journal).records, 2);
    assert_int_equal(journal_stats(journal).syncs, 2);
    assert_int_equal(journal_stats(journal).failures, 1);
    assert_int_equal(log_lines("error: "), 1);
    assert_int_equal(log_lines("journal.0000000001: Input/output error"), 1);
    assert_int_equal(log_lines("kept again"), 1);
}

static void what_is_only_written_outlives_a_failed_sync(void **state)
{
    (void)state;
    sync_does = fail_always;
    assert_true(append("a\n", JOURNAL_NO_SYNC));
    assert_false(append("b\n", JOURNAL_SYNC));
    assert_kept("a\n");
    assert_segments("1");
}

static void failures_leave_no_files_and_few_lines(void **state)
{
    (void)state;
    sync_does = fail_always;
    for (int n = 0; n < 100; n++)
        assert_false(append("a\n", JOURNAL_SYNC));
    assert_segments("");
    assert_false(journal_has_closed_segments(journal));
    assert_int_equal(log_lines(""), 1);
    now_ms += 60000;
    assert_false(append("a\n", JOURNAL_SYNC));
    assert_int_equal(log_lines(""), 2);
    assert_int_equal(log_lines("99 more"), 1);
    sync_does = NULL;
    for (int n = 0; n < 3; n++)
        assert_true(append("b\n", JOURNAL_SYNC));
    assert_segments("1");
    assert_int_equal(log_lines("kept again"), 1);
    assert_int_equal(log_lines(""), 3);
}

/* Files cannot grow beyond this: a write is cut short, or fails (EFBIG). */
static void limit_files(rlim_t size)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_write_cut_short_is_taken_back(void **state)
{
    static char large[100001];
    struct stat status;
    char path[PATH_MAX];

    (void)state;
    memset(large, 'x', sizeof large - 1);
    limit_files(64 * 1024);
    assert_true(append("a\n", JOURNAL_SYNC));
    assert_false(append(large, JOURNAL_SYNC));
    assert_segments("1");
    assert_true(folder_segment_path(folder, 1, path));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, FRAME_HEADER_SIZE + 2);
    for (int n = 0; n < 10; n++)
        assert_false(append(large, n % 2 == 0 ? JOURNAL_SYNC : JOURNAL_NO_SYNC));
    assert_segments("1"); /* no storm of empty ones */
    assert_int_equal(atomic_load(&syncs), 1);
    assert_true(append("b\n", JOURNAL_SYNC)); /* for this there is room */
    assert_segments("1 2");
    assert_kept("a\nb\n");
    limit_files(RLIM_INFINITY);
    assert_true(append("c\n", JOURNAL_SYNC));
    assert_segments("1 2");
    assert_kept("a\nb\nc\n");
    assert_int_equal(log_lines("journal.0000000001: File too large"), 1);
    assert_int_equal(log_lines("kept again"), 1);
}

/* Become one whom permissions bind; and who one was before. */
static void be_a_user(void)
{
    if (getuid() != 0)
        return;
    assert_int_equal(chown(folder, NOBODY, NOBODY), 0);
    assert_int_equal(seteuid(NOBODY), 0);
}

static void be_myself(void)
{
    assert_int_equal(seteuid(getuid()), 0);
}

static void a_segment_counts_when_its_name_is_safe(void **state)
{
    (void)state;
    assert_int_equal(chmod(folder, 0300), 0); /* files can be made; the folder cannot be synced */
    be_a_user();
    assert_false(append("a\n", JOURNAL_SYNC));
    assert_true(append("b\n", JOURNAL_NO_SYNC));
    assert_false(append("c\n", JOURNAL_SYNC));
    assert_int_equal(atomic_load(&syncs), 0);
    be_myself();
    assert_int_equal(chmod(folder, 0700), 0);
    assert_segments("1");
    assert_true(append("d\n", JOURNAL_SYNC));
    assert_int_equal(chmod(folder, 0300), 0);
    be_a_user();
    assert_true(append("e\n", JOURNAL_SYNC)); /* its name was safe before */
    be_myself();
    assert_int_equal(chmod(folder, 0700), 0);
    assert_kept("b\nd\ne\n");
}

static void a_folder_that_takes_no_files_is_tried_again(void **state)
{
    (void)state;
    assert_int_equal(rmdir(folder), 0);
    assert_false(append("a\n", JOURNAL_SYNC));
    assert_false(append("b\n", JOURNAL_NO_SYNC));
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_true(append("c\n", JOURNAL_SYNC));
    assert_segments("1");
    assert_kept("c\n");
    assert_int_equal(log_lines("error: "), 1);
    assert_int_equal(log_lines("kept again"), 1);
}

static void a_segment_that_somebody_removed_is_written_to_no_more(void **state)
{
    char path[PATH_MAX];

    (void)state;
    assert_true(append("a\n", JOURNAL_SYNC));
    assert_true(folder_segment_path(folder, 1, path));
    assert_int_equal(unlink(path), 0);
    assert_true(append("b\n", JOURNAL_SYNC));
    assert_segments("2");
    assert_kept("b\n");
    assert_int_equal(log_lines("was removed"), 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        JOURNAL_TEST(after_a_failed_sync_another_segment_is_begun),
        JOURNAL_TEST(what_is_only_written_outlives_a_failed_sync),
        JOURNAL_TEST(failures_leave_no_files_and_few_lines),
        JOURNAL_TEST(a_write_cut_short_is_taken_back),
        JOURNAL_TEST(a_segment_counts_when_its_name_is_safe),
        JOURNAL_TEST(a_folder_that_takes_no_files_is_tried_again),
        JOURNAL_TEST(a_segment_that_somebody_removed_is_written_to_no_more),
    };

    signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
