/*
 * bench_recovery - how long the claims take to come back from disk after a boot
 *
 * open_table() with nothing in ROOT/run, from three states of the store: all claims in segments of
 * the journal; all in a snapshot; the snapshot, and segments in which each was claimed once more,
 * which is about the most that compaction leaves there. Each claim is of a message of its own.
 * Nothing of the store is in the page cache when the clock starts; that is checked.
 *
 * usage: bench_recovery ROOT CLAIMS ROUNDS    (an empty folder on disk, but that ROOT/run may be a
 *                                              link to a folder in memory)
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/settings.h"
#include "store/compact.h"
#include "store/journal.h"
#include "store/open_table.h"
#include "store/record.h"
#include "tests/bench/bench.h"

struct bench {
    struct settings *settings;
    unsigned claims;
    unsigned rounds;
    char store[PATH_MAX];
    char table[PATH_MAX];
    char lock[PATH_MAX];
};

static void prepare(struct bench *bench, const char *root)
{
    static const char *const folders[] = {"/var", "/var/lib", SETTINGS_STORE_DIR, "/run",
                                          SETTINGS_RUN_DIR};
    struct diag diag = diag_to_stderr();
    char text[64], path[PATH_MAX];
    int len = snprintf(text, sizeof text, "TABLE_CAPACITY=%u\n", bench->claims);

    bench->settings = settings_parse(root, text, (size_t)len, "bench.conf", &diag);
    if (bench->settings == NULL)
        exit(1);
    for (size_t n = 0; n < sizeof folders / sizeof *folders; n++)
        if (!settings_path(bench->settings, folders[n], path) ||
            (mkdir(path, 0755) != 0 && errno != EEXIST))
            give_up("%s%s: %s", root, folders[n], strerror(errno));
    if (!settings_path(bench->settings, SETTINGS_STORE_DIR, bench->store) ||
        !settings_path(bench->settings, SETTINGS_TABLE_FILE, bench->table) ||
        !settings_path(bench->settings, SETTINGS_TABLE_LOCK, bench->lock))
        give_up("%s: too long", root);
}

/* Journal a message for each claim. Returns the bytes of all keys. */
static uint64_t write_journal(const struct bench *bench)
{
    const struct journal_config config = {.folder = bench->store};
    char why[FOLDER_WHY_SIZE];
    struct journal *journal = journal_open(&config, why);
    struct record record = {0};
    uint64_t key_bytes = 0;

    if (journal == NULL)
        give_up("%s", why);
    for (unsigned n = 0; n < bench->claims; n++) {
        char queue_id[16], key[KEY_SIZE];
        const struct record_recipient recipient = {
            .priority = priority_of_key(n), .rule_line = 20, .use = RECORD_CLAIMED, .key = key};

        key_bytes += make_key(key, n);
        snprintf(queue_id, sizeof queue_id, "%010X", n);
        record_begin(&record, queue_id, clock_wall_ms(), "plain", RECORD_NO_FILTER);
        record_add(&record, &recipient);
        if (record.failed || !journal_append(journal, record.text, record.len, JOURNAL_NO_SYNC))
            give_up("%s: the journal took no more", bench->store);
    }
    free(record.text);
    journal_close(&journal);
    return key_bytes;
}

static void write_snapshot(const struct bench *bench)
{
    const struct compact_config config = {
        .folder = bench->store, .segments = COMPACT_ALL, .wall_ms = clock_wall_ms()};
    struct compact_result result;
    char why[FOLDER_WHY_SIZE];

    if (!compact(&config, &result, why))
        give_up("%s", why);
    if (result.claims != bench->claims)
        give_up("%zu claims in the snapshot, not %u", result.claims, bench->claims);
}

/* That nothing of a file is in the page cache: advice may not be followed. */
static void check_is_evicted(const char *path, int fd, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (size + page - 1) / page;
    unsigned char *is_cached = malloc(pages);
    void *start = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

    if (is_cached == NULL || start == MAP_FAILED || mincore(start, size, is_cached) != 0)
        give_up("%s: %s", path, strerror(errno));
    for (size_t n = 0; n < pages; n++)
        if (is_cached[n] & 1)
            give_up("%s stays in memory: this folder does not do for it", path);
    munmap(start, size);
    free(is_cached);
}

/* Take a file out of the page cache; its size is added. */
static void evict(const char *path, uint64_t *bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) != 0 || fsync(fd) != 0 ||
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0)
        give_up("%s: %s", path, strerror(errno));
    check_is_evicted(path, fd, (size_t)status.st_size);
    *bytes += (uint64_t)status.st_size;
    close(fd);
}

static uint64_t evict_all(const struct bench *bench)
{
    uint64_t *numbers, bytes = 0;
    char path[PATH_MAX];
    size_t count;

    if (!folder_segments(bench->store, &numbers, &count))
        give_up("%s: %s", bench->store, strerror(errno));
    for (size_t n = 0; n < count; n++) {
        if (!folder_segment_path(bench->store, numbers[n], path))
            give_up("%s: too long", bench->store);
        evict(path, &bytes);
    }
    free(numbers);
    if (folder_path(bench->store, FOLDER_SNAPSHOT, path) && access(path, F_OK) == 0)
        evict(path, &bytes);
    return bytes;
}

/* That every claim is there, with its priority. */
static void check(const struct bench *bench, const struct table *table)
{
    if (table_stats(table).claims != bench->claims || table_is_unsure(table))
        give_up("%zu claims came back, not %u", table_stats(table).claims, bench->claims);
    for (unsigned n = 0; n < bench->claims; n++) {
        char key[KEY_SIZE];
        size_t len = make_key(key, n);
        int priority;

        if (table_peek(table, key, len, &priority) != 1 || priority != priority_of_key(n))
            give_up("%s did not come back as it was", key);
    }
}

/* Processor time of this process. */
static double cpu_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void forget(const char *path)
{
    if (unlink(path) != 0 && errno != ENOENT)
        give_up("%s: %s", path, strerror(errno));
}

static void recover_once(const struct bench *bench, const char *state)
{
    char why[TABLE_WHY_SIZE], name[32];
    struct table *table;
    double began, cpu_began;

    forget(bench->table);
    forget(bench->lock); /* it tells which boot this is */
    evict_all(bench);
    began = seconds_now();
    cpu_began = cpu_now();
    table = open_table(bench->settings, TABLE_WRITER, why);
    if (table == NULL)
        give_up("%s", why);
    snprintf(name, sizeof name, "%s_s", state);
    print_seconds(name, seconds_now() - began);
    snprintf(name, sizeof name, "%s_cpu_s", state);
    print_seconds(name, cpu_now() - cpu_began);
    check(bench, table);
    table_close(&table);
}

static void measure(const struct bench *bench, const char *state)
{
    char name[32];

    snprintf(name, sizeof name, "%s_bytes", state);
    print_count(name, evict_all(bench));
    for (unsigned n = 0; n < bench->rounds; n++)
        recover_once(bench, state);
}

int main(int argc, char **argv)
{
    struct bench bench = {0};

    if (argc != 4)
        give_up("usage: bench_recovery ROOT CLAIMS ROUNDS");
    bench.claims = number_of(argv[2]);
    bench.rounds = number_of(argv[3]);
    prepare(&bench, argv[1]);
    print_count("key_bytes", write_journal(&bench));
    measure(&bench, "journal");
    write_snapshot(&bench);
    measure(&bench, "snapshot");
    write_journal(&bench);
    measure(&bench, "both");
    settings_free(&bench.settings);
    return 0;
}
