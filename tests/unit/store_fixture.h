/*
 * store_fixture - a private folder of the store, decisions to write into it, and damage
 *
 * To be included by one file of a test. Syncing costs time and shows nothing here: fsync(2) is
 * replaced by a count, and fails on demand.
 */
#ifndef PEG_STORE_FIXTURE_H
#define PEG_STORE_FIXTURE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log.h"
#include "store/folder.h"
#include "store/frame.h"
#include "store/record.h"
#include "tests/unit/unit.h"

enum { FILE_MAX = 1 << 22, LOG_MAX = 1 << 22 };

#define UNUSED __attribute__((unused))

static const int64_t wall_ms = INT64_C(1795374283123); /* 2026-11-22T19:04:43.123Z */
#define ASIDE ".damaged-2026-11-22T19:04:43.123Z"

static char folder[64], log_path[96];
static char UNUSED why[FOLDER_WHY_SIZE];
static int syncs, sync_error;
static int good_syncs; /* how many of them succeed before one fails */

int fsync(int fd)
{
    (void)fd;
    syncs++;
    if (sync_error == 0 || syncs <= good_syncs)
        return 0;
    errno = sync_error;
    return -1;
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/dev/shm/peg-store-XXXXXX"); /* in memory: some tests make many files */
    if (mkdtemp(folder) == NULL && mkdtemp(strcpy(folder, "/tmp/peg-store-XXXXXX")) == NULL)
        return -1;
    snprintf(log_path, sizeof log_path, "%s.log", folder);
    syncs = sync_error = good_syncs = 0;
    return log_open("test", LOG_TO_FILE, log_path) ? 0 : -1;
}

static const char *path_of(const char *name, char path_r[PATH_MAX])
{
    if (!folder_path(folder, name, path_r))
        fail();
    return path_r;
}

/* The names in the folder, each followed by a blank, in order. */
static UNUSED const char *names(char names_r[FOLDER_WHY_SIZE])
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);

    assert_true(count >= 0);
    *names_r = '\0';
    for (int n = 0; n < count; n++) {
        const char *name = entries[n]->d_name;

        if (name[strspn(name, ".")] != '\0') {
            assert_true(strlen(names_r) + strlen(name) + 2 < FOLDER_WHY_SIZE);
            strcat(strcat(names_r, name), " ");
        }
        free(entries[n]);
    }
    free(entries);
    return names_r;
}

#define assert_names(expected)                            \
    do {                                                  \
        char seen_names[FOLDER_WHY_SIZE];                 \
                                                          \
        assert_string_equal(names(seen_names), expected); \
    } while (false)

static void empty_folder(void)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    char path[PATH_MAX];

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            assert_int_equal(remove(path_of(entry->d_name, path)), 0);
    closedir(dir);
}

static int remove_folder(void **state)
{
    (void)state;
    if (!log_open("test", LOG_TO_STDERR, NULL))
        return -1;
    empty_folder();
    unlink(log_path);
    return rmdir(folder);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

/* Files */

static void UNUSED put_file(const char *name, const void *bytes, size_t len)
{
    char path[PATH_MAX];
    int fd = open(path_of(name, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

/* To be freed with free(). */
static unsigned char *UNUSED get_file(const char *name, size_t *len_r)
{
    char path[PATH_MAX];
    char *bytes = file_read(path_of(name, path), FILE_MAX, len_r);

    assert_non_null(bytes);
    return (unsigned char *)bytes;
}

static void UNUSED assert_file(const char *name, const unsigned char *bytes, size_t len)
{
    size_t seen_len;
    unsigned char *seen = get_file(name, &seen_len);

    assert_int_equal(seen_len, len);
    assert_memory_equal(seen, bytes, len);
    free(seen);
}

/* How often the log says that since the test began. */
static size_t UNUSED logged(const char *what)
{
    size_t len, count = 0;
    char *text = file_read(log_path, LOG_MAX, &len);

    assert_non_null(text);
    for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
        count++;
    free(text);
    return count;
}

/* Let no file grow beyond so many bytes, as a full disk would; RLIM_INFINITY: any. */
static void UNUSED limit_files(rlim_t bytes)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Decisions */

struct claim {
    const char *key;
    int priority;
    enum record_use use;
};

struct decision {
    const char *queue_id;
    struct claim claims[3]; /* those with a key */
};

/* The record of a decision; its text is to be freed with free(). */
static struct record UNUSED record_of(const struct decision *decision)
{
    struct record record = {0};

    record_begin(&record, decision->queue_id, wall_ms, "plain", RECORD_NO_FILTER);
    for (size_t n = 0; n < LENGTH(decision->claims) && decision->claims[n].key != NULL; n++) {
        const struct claim *claim = &decision->claims[n];
        const struct record_recipient recipient = {
            .priority = claim->priority, .rule_line = 8, .use = claim->use, .key = claim->key};

        record_add(&record, &recipient);
    }
    assert_false(record.failed);
    return record;
}

/* Write a frame; returns its length. */
static size_t UNUSED put_frame(unsigned char *at, const void *payload, size_t len)
{
    memcpy(at + FRAME_HEADER_SIZE, payload, len);
    frame_seal(at, len);
    return FRAME_HEADER_SIZE + len;
}

static UNUSED const char *segment_name(uint64_t number, char name_r[32])
{
    snprintf(name_r, 32, "journal.%010" PRIu64, number);
    return name_r;
}

/* Write a segment. ends_r, unless NULL, gets where each frame ends. */
static void UNUSED put_segment(uint64_t number, const struct decision *decisions, size_t count,
                               size_t *ends_r)
{
    unsigned char bytes[4096];
    char name[32];
    size_t len = 0;

    for (size_t n = 0; n < count; n++) {
        struct record record = record_of(&decisions[n]);

        assert_true(len + FRAME_HEADER_SIZE + record.len <= sizeof bytes);
        len += put_frame(bytes + len, record.text, record.len);
        free(record.text);
        if (ends_r != NULL)
            ends_r[n] = len;
    }
    put_file(segment_name(number, name), bytes, len);
}

#define PUT_SEGMENT(number, ...)                                  \
    put_segment((number), (const struct decision[]){__VA_ARGS__}, \
                LENGTH(((const struct decision[]){__VA_ARGS__})), NULL)

#endif
