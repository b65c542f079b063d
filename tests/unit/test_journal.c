/* test_journal - what was acknowledged is there, and threads share a sync */
#include "store/journal.h"

#include <pthread.h>
#include <sched.h>

#include "tests/unit/journal_fixture.h"

enum { PATIENCE_S = 120 };

static void a_record_is_synced_before_it_counts(void **state)
{
    (void)state;
    assert_segments(""); /* no file before the first record */
    assert_true(append("a\n", JOURNAL_SYNC));
    assert_int_equal(atomic_load(&syncs), 1);
    assert_kept("a\n");
    assert_true(append("b\n", JOURNAL_SYNC));
    assert_int_equal(atomic_load(&syncs), 2);
    assert_kept("a\nb\n");
    assert_segments("1");
    assert_int_equal(journal_stats(journal).records, 2);
    assert_int_equal(journal_stats(journal).syncs, 2);
    assert_int_equal(journal_stats(journal).failures, 0);
    assert_int_equal(journal_stats(journal).waiting, 0);
    assert_int_equal(log_lines(""), 0);
}

static void without_sync_it_is_written_only(void **state)
{
    (void)state;
    assert_true(append("a\n", JOURNAL_NO_SYNC));
    assert_int_equal(atomic_load(&syncs), 0);
    assert_kept("a\n");
    assert_int_equal(journal_stats(journal).records, 1);
    assert_int_equal(journal_stats(journal).syncs, 0);
}

static void a_journal_opened_again_begins_a_segment(void **state)
{
    (void)state;
    assert_false(journal_has_closed_segments(journal));
    assert_true(append("a\n", JOURNAL_SYNC));
    assert_false(journal_has_closed_segments(journal)); /* it is written to */
    journal_close(&journal);
    open_journal(0);
    assert_true(journal_has_closed_segments(journal));
    assert_false(journal_has_closed_segments(journal));
    assert_segments("1");
    assert_true(append("b\n", JOURNAL_SYNC));
    assert_segments("1 2");
    assert_kept("a\nb\n");
}

static void segments_are_closed_when_they_are_large(void **state)
{
    enum { FRAME = FRAME_HEADER_SIZE + 2 };

    (void)state;
    journal_close(&journal);
    open_journal(2 * FRAME);
    assert_true(append("a\n", JOURNAL_SYNC));
    assert_true(append("b\n", JOURNAL_SYNC));
    assert_segments("1");
    assert_false(journal_has_closed_segments(journal));
    assert_true(append("c\n", JOURNAL_SYNC)); /* brings it above */
    assert_segments("1");
    assert_true(journal_has_closed_segments(journal));
    assert_true(append("d\n", JOURNAL_NO_SYNC));
    assert_segments("1 2");
    assert_kept("a\nb\nc\nd\n");
}

static void remove_segment(uint64_t number)
{
    char path[PATH_MAX];

    assert_true(folder_segment_path(folder, number, path));
    assert_int_equal(unlink(path), 0);
}

static void numbers_do_not_come_again(void **state)
{
    char path[PATH_MAX];

    (void)state;
    journal_close(&journal);
    open_journal(1);
    assert_true(append("a\n", JOURNAL_SYNC));
    assert_true(append("b\n", JOURNAL_SYNC));
    remove_segment(1);
    remove_segment(2);
    assert_true(append("c\n", JOURNAL_SYNC));
    assert_segments("3");
    journal_close(&journal);
    open_journal(1);
    assert_true(folder_segment_path(folder, 4, path)); /* not ours */
    fclose(fopen(path, "wxe"));
    assert_true(append("d\n", JOURNAL_SYNC));
    assert_segments("3 4 5");
    assert_kept("c\nd\n");
}

static void a_folder_that_cannot_be_read_is_no_journal(void **state)
{
    struct journal_config config = {.folder = "/nonexistent"};

    (void)state;
    assert_null(journal_open(&config, why));
    assert_non_null(strstr(why, "/nonexistent: No such file"));
}

static void large_records_are_kept_and_too_large_ones_refused(void **state)
{
    enum { LARGE = 2 * JOURNAL_SEGMENT_MAX };
    char *text = calloc(1, LARGE + 1);
    char *all;

    (void)state;
    assert_non_null(text);
    memset(text, 'x', LARGE);
    assert_false(journal_append(journal, text, (size_t)FRAME_PAYLOAD_MAX + 1, JOURNAL_SYNC));
    assert_segments("");
    assert_int_equal(journal_stats(journal).failures, 1);
    assert_int_equal(log_lines("Message too long"), 1);
    assert_true(append(text, JOURNAL_SYNC));
    assert_true(journal_has_closed_segments(journal));
    assert_true(append("y", JOURNAL_SYNC));
    assert_segments("1 2");
    all = read_all();
    assert_int_equal(strlen(all), LARGE + 1);
    free(all);
    free(text);
}

/* Threads */

struct appender {
    pthread_t thread;
    const char *text;
    enum journal_sync sync;
    bool good;
};

static void *run_appender(void *arg)
{
    struct appender *appender = arg;

    appender->good = append(appender->text, appender->sync);
    return NULL;
}

static void start_appender(struct appender *appender, const char *text, enum journal_sync sync)
{
    *appender = (struct appender){.text = text, .sync = sync};
    assert_int_equal(pthread_create(&appender->thread, NULL, run_appender, appender), 0);
}

static void wait_until_waiting(uint64_t count)
{
    while (journal_stats(journal).waiting != count)
        sched_yield();
}

static atomic_bool may_sync;

static int wait_first(int nth)
{
    while (nth == 1 && !atomic_load(&may_sync))
        sched_yield();
    return 0;
}

static int wait_then_fail_first(int nth)
{
    wait_first(nth);
    return nth == 1 ? fail_sync() : 0;
}

static int wait_then_fail_second(int nth)
{
    wait_first(nth);
    return nth == 2 ? fail_sync() : 0;
}

/*
 * One append that is being synced, while the others have come and wait: they are one batch. Then
 * all go on, and have ended.
 */
static void run_in_two_batches(struct appender *appenders, size_t count,
                               const enum journal_sync *syncs_wanted, int (*sync)(int nth))
{
    static const char *const texts[] = {"a\n", "b\n", "c\n", "d\n"};

    sync_does = sync;
    atomic_store(&may_sync, false);
    for (size_t n = 0; n < count; n++) {
        start_appender(&appenders[n], texts[n], syncs_wanted[n]);
        wait_until_waiting(n + 1);
        while (atomic_load(&syncs) == 0)
            sched_yield();
    }
    atomic_store(&may_sync, true);
    for (size_t n = 0; n < count; n++)
        pthread_join(appenders[n].thread, NULL);
}

static const enum journal_sync all_sync[4] = {JOURNAL_SYNC, JOURNAL_SYNC, JOURNAL_SYNC,
                                              JOURNAL_SYNC};

static void those_that_wait_share_a_sync(void **state)
{
    struct appender appenders[4];

    (void)state;
    run_in_two_batches(appenders, 4, all_sync, wait_first);
    for (size_t n = 0; n < 4; n++)
        assert_true(appenders[n].good);
    assert_int_equal(atomic_load(&syncs), 2);
    assert_int_equal(journal_stats(journal).syncs, 2);
    assert_int_equal(journal_stats(journal).records, 4);
    assert_kept("a\nb\nc\nd\n");
}

static void a_follower_learns_of_its_own_batch(void **state)
{
    struct appender appenders[4];

    (void)state;
    run_in_two_batches(appenders, 4, all_sync, wait_then_fail_second);
    assert_true(appenders[0].good);
    for (size_t n = 1; n < 4; n++)
        assert_false(appenders[n].good);
    assert_int_equal(journal_stats(journal).failures, 3);
    assert_int_equal(journal_stats(journal).waiting, 0);
    assert_kept("a\n");
    assert_true(append("e\n", JOURNAL_SYNC));
    assert_segments("1 2");
    assert_kept("a\ne\n");
}

static void a_batch_after_a_failed_one_can_be_good(void **state)
{
    struct appender appenders[4];

    (void)state;
    run_in_two_batches(appenders, 4, all_sync, wait_then_fail_first);
    assert_false(appenders[0].good);
    for (size_t n = 1; n < 4; n++)
        assert_true(appenders[n].good);
    assert_segments("1"); /* the first try left nothing */
    assert_kept("b\nc\nd\n");
}

/* The second sync ends when one who did not ask for it has been told. */
static int wait_for_who_does_not(int nth)
{
    wait_first(nth);
    while (nth == 2 && journal_stats(journal).records < 2)
        sched_yield();
    return nth == 2 ? fail_sync() : 0;
}

static void in_one_batch_each_gets_what_it_asked_for(void **state)
{
    static const enum journal_sync mixed[3] = {JOURNAL_SYNC, JOURNAL_NO_SYNC, JOURNAL_SYNC};
    struct appender appenders[3];

    (void)state;
    run_in_two_batches(appenders, 3, mixed, wait_for_who_does_not);
    assert_true(appenders[0].good);
    assert_true(appenders[1].good);
    assert_false(appenders[2].good);
    assert_int_equal(journal_stats(journal).failures, 1);
    assert_kept("a\nb\nc\n"); /* what somebody relies on is not taken away */
    assert_true(append("d\n", JOURNAL_SYNC));
    assert_segments("1 2");
}

enum { THREADS = 16, RECORDS = 200 };

/* Every seventh sync fails. */
static int fail_now_and_then(int nth)
{
    return nth % 7 == 0 ? fail_sync() : 0;
}

struct worker {
    pthread_t thread;
    unsigned number;
    bool good[RECORDS];
};

static void *run_worker(void *arg)
{
    struct worker *worker = arg;

    for (unsigned n = 0; n < RECORDS; n++) {
        char text[32];

        snprintf(text, sizeof text, "%u %u\n", worker->number, n);
        worker->good[n] =
            append(text, (worker->number + n) % 5 == 0 ? JOURNAL_NO_SYNC : JOURNAL_SYNC);
    }
    return NULL;
}

/* Each thread's acknowledged records are there once, in their order, and no others but for some
 * that were in one batch with those. */
static void assert_all_kept(const struct worker *workers)
{
    bool found[THREADS][RECORDS] = {{false}};
    unsigned last[THREADS] = {0};
    char *all = read_all();

    for (char *rest = all, *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0';) {
        unsigned number, n;

        assert_int_equal(sscanf(line, "%u %u", &number, &n), 2);
        assert_true(number < THREADS && n < RECORDS && !found[number][n] && n >= last[number]);
        found[number][n] = true;
        last[number] = n;
    }
    for (size_t number = 0; number < THREADS; number++)
        for (size_t n = 0; n < RECORDS; n++)
            assert_true(found[number][n] || !workers[number].good[n]);
    free(all);
}

static void run_workers(struct worker *workers)
{
    uint64_t good = 0;

    for (unsigned n = 0; n < THREADS; n++) {
        workers[n] = (struct worker){.number = n};
        assert_int_equal(pthread_create(&workers[n].thread, NULL, run_worker, &workers[n]), 0);
    }
    for (size_t n = 0; n < THREADS; n++) {
        pthread_join(workers[n].thread, NULL);
        for (size_t record = 0; record < RECORDS; record++)
            good += workers[n].good[record];
    }
    assert_int_equal(journal_stats(journal).records, good);
    assert_int_equal(journal_stats(journal).failures, THREADS * RECORDS - good);
    assert_int_equal(journal_stats(journal).waiting, 0);
}

static void many_threads_write_many_segments(void **state)
{
    static struct worker workers[THREADS];

    (void)state;
    journal_close(&journal);
    open_journal(1000);
    run_workers(workers);
    assert_int_equal(journal_stats(journal).records, THREADS * RECORDS);
    assert_all_kept(workers);
}

static void many_threads_and_failures(void **state)
{
    static struct worker workers[THREADS];

    (void)state;
    journal_close(&journal);
    open_journal(1000);
    sync_does = fail_now_and_then;
    run_workers(workers);
    assert_true(journal_stats(journal).failures > 0);
    assert_all_kept(workers);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        JOURNAL_TEST(a_record_is_synced_before_it_counts),
        JOURNAL_TEST(without_sync_it_is_written_only),
        JOURNAL_TEST(a_journal_opened_again_begins_a_segment),
        JOURNAL_TEST(segments_are_closed_when_they_are_large),
        JOURNAL_TEST(numbers_do_not_come_again),
        JOURNAL_TEST(a_folder_that_cannot_be_read_is_no_journal),
        JOURNAL_TEST(large_records_are_kept_and_too_large_ones_refused),
        JOURNAL_TEST(those_that_wait_share_a_sync),
        JOURNAL_TEST(a_follower_learns_of_its_own_batch),
        JOURNAL_TEST(a_batch_after_a_failed_one_can_be_good),
        JOURNAL_TEST(in_one_batch_each_gets_what_it_asked_for),
        JOURNAL_TEST(many_threads_write_many_segments),
        JOURNAL_TEST(many_threads_and_failures),
    };

    alarm(PATIENCE_S); /* threads that wait for each other do not end */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
