/*
 * journal_fixture - a journal in a folder of its own, with a sync and a clock that a test drives
 *
 * Included once by a test program; functions are inline since not every program uses all.
 */
#ifndef PEG_JOURNAL_FIXTURE_H
#define PEG_JOURNAL_FIXTURE_H

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "store/frame.h"
#include "store/journal.h"
#include "tests/unit/unit.h"

static char folder[64], log_path[80], why[FOLDER_WHY_SIZE];
static struct journal *journal;
static int64_t now_ms;

/* The journal's sync: how often it was called, and what it does then. */
static atomic_int syncs;
static int (*sync_does)(int nth);

static inline int count_sync(int fd)
{
    struct stat status;
    int nth = atomic_fetch_add(&syncs, 1) + 1;

    assert_int_equal(fstat(fd, &status), 0);
    assert_true(status.st_size > 0); /* it was written before */
    return sync_does != NULL ? sync_does(nth) : 0;
}

static inline int fail_sync(void)
{
    errno = EIO;
    return -1;
}

static inline int64_t test_clock(void)
{
    return now_ms;
}

static inline void open_journal(size_t segment_max)
{
    struct journal_config config = {
        .folder = folder, .segment_max = segment_max, .sync = count_sync, .clock_ms = test_clock};

    journal = journal_open(&config, why);
    if (journal == NULL)
        fail_msg("%s", why);
}

static inline int start(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/peg-journal-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(log_path, sizeof log_path, "%s.log", folder);
    if (!log_open("peg", LOG_TO_FILE, log_path))
        return -1;
    sync_does = NULL;
    atomic_store(&syncs, 0);
    now_ms = 1000;
    open_journal(0);
    return 0;
}

static inline int stop(void **state)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    (void)state;
    journal_close(&journal);
    while ((entry = readdir(dir)) != NULL)
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    unlink(log_path);
    return rmdir(folder);
}

static inline bool append(const char *text, enum journal_sync sync)
{
    return journal_append(journal, text, strlen(text), sync);
}

/* All records in the folder, one behind the other. Nothing in its files is anything else. */
static inline char *read_all(void)
{
    char *all = calloc(1, 1), path[PATH_MAX];
    size_t all_len = 0, count;
    uint64_t *numbers;

    assert_non_null(all);
    assert_true(folder_segments(folder, &numbers, &count));
    for (size_t n = 0; n < count; n++) {
        struct folder_file file;
        struct frame_reader reader;
        const unsigned char *payload;
        size_t len;

        assert_true(folder_segment_path(folder, numbers[n], path));
        assert_int_equal(folder_map(path, &file), 1);
        reader = (struct frame_reader){.bytes = file.bytes, .len = file.len};
        while (frame_next(&reader, &payload, &len)) {
            all = realloc(all, all_len + len + 1);
            assert_non_null(all);
            memcpy(all + all_len, payload, len);
            all[all_len += len] = '\0';
        }
        assert_int_equal(reader.damaged, 0);
        assert_false(reader.torn);
        folder_unmap(&file);
    }
    free(numbers);
    return all;
}

static inline void assert_kept(const char *expected)
{
    char *all = read_all();

    assert_string_equal(all, expected);
    free(all);
}

/* The segments, as their numbers with blanks between. */
static inline void assert_segments(const char *expected)
{
    char is[256] = "";
    uint64_t *numbers;
    size_t count;

    assert_true(folder_segments(folder, &numbers, &count));
    for (size_t n = 0; n < count; n++)
        snprintf(is + strlen(is), sizeof is - strlen(is), "%s%u", n > 0 ? " " : "",
                 (unsigned)numbers[n]);
    free(numbers);
    assert_string_equal(is, expected);
}

static inline unsigned log_lines(const char *with)
{
    FILE *file = fopen(log_path, "re");
    char line[1024];
    unsigned count = 0;

    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        count += strstr(line, with) != NULL;
    fclose(file);
    return count;
}

#define JOURNAL_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

#endif
