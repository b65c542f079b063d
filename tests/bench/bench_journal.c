/*
 * bench_journal - how many decisions share one fdatasync, when many sessions decide at once
 *
 * So many threads append durable records to one journal, each the next as soon as the last is on
 * disk. DELAY_US is added to each fdatasync, for a disk that is slower than this one. Both are
 * counted here, not by the journal.
 *
 * usage: bench_journal FOLDER THREADS SECONDS DELAY_US    (an empty folder on disk)
 */
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "store/journal.h"
#include "store/record.h"
#include "tests/bench/bench.h"

static struct journal *journal;
static useconds_t delay_us;
static atomic_bool is_over;
static atomic_uint decisions, syncs;

static int sync_slowly(int fd)
{
    if (delay_us > 0)
        usleep(delay_us);
    atomic_fetch_add(&syncs, 1);
    return fdatasync(fd);
}

static void *decide(void *arg)
{
    const unsigned *thread = arg;
    struct record record = {0};

    for (unsigned n = 0; !atomic_load(&is_over); n++) {
        char key[KEY_SIZE];
        const struct record_recipient recipient = {
            .priority = 3, .rule_line = 20, .use = RECORD_CLAIMED, .key = key};

        make_key(key, *thread + n * 1000);
        record_begin(&record, "4F8A12B09C", INT64_C(1795374283123), "plain", RECORD_NO_FILTER);
        record_add(&record, &recipient);
        if (record.failed || !journal_append(journal, record.text, record.len, JOURNAL_SYNC))
            give_up("the journal took no more");
        atomic_fetch_add(&decisions, 1);
    }
    free(record.text);
    return NULL;
}

static void run(unsigned threads, unsigned seconds)
{
    pthread_t *thread = calloc(threads, sizeof *thread);
    unsigned *number = calloc(threads, sizeof *number);
    double began = seconds_now();

    if (thread == NULL || number == NULL)
        give_up("out of memory");
    for (unsigned n = 0; n < threads; n++) {
        number[n] = n;
        if (pthread_create(&thread[n], NULL, decide, &number[n]) != 0)
            give_up("thread %u: %s", n, strerror(errno));
    }
    sleep(seconds);
    atomic_store(&is_over, true);
    for (unsigned n = 0; n < threads; n++)
        pthread_join(thread[n], NULL);
    print_seconds("seconds", seconds_now() - began);
    free(thread);
    free(number);
}

int main(int argc, char **argv)
{
    struct journal_config config = {.sync = sync_slowly};
    char why[FOLDER_WHY_SIZE];

    if (argc != 5)
        give_up("usage: bench_journal FOLDER THREADS SECONDS DELAY_US");
    config.folder = argv[1];
    delay_us = number_of(argv[4]);
    journal = journal_open(&config, why);
    if (journal == NULL)
        give_up("%s", why);
    run(number_of(argv[2]), number_of(argv[3]));
    print_count("decisions", decisions);
    print_count("syncs", syncs);
    journal_close(&journal);
    return 0;
}
