/* compact_fixture - compaction, and what a snapshot holds; to be included by one file */
#ifndef PEG_COMPACT_FIXTURE_H
#define PEG_COMPACT_FIXTURE_H

#include "store/compact.h"
#include "store/snapshot.h"
#include "tests/unit/store_fixture.h"

static struct compact_result UNUSED compact_with(struct compact_config config)
{
    struct compact_result result;

    config.folder = folder;
    config.wall_ms = wall_ms;
    if (!compact(&config, &result, why))
        fail_msg("%s", why);
    return result;
}

static struct compact_result UNUSED compact_all(void)
{
    return compact_with((struct compact_config){.segments = COMPACT_ALL});
}

/* What is in the snapshot: `KEY=PRIORITY by QUEUE-ID`, or `QUEUE-ID: NUMBER` of lines. */
static void UNUSED assert_snapshot(const char *const *expected, size_t expected_count)
{
    struct snapshot_reader reader;
    struct snapshot_entry entry;
    struct folder_file file;
    char path[PATH_MAX];
    size_t count = 0;

    assert_int_equal(folder_map(path_of(FOLDER_SNAPSHOT, path), &file), 1);
    assert_true(snapshot_read(&reader, &file));
    assert_true(reader.is_whole);
    for (; snapshot_next(&reader, &entry); count++) {
        char text[256];
        size_t n = 0;

        if (entry.kind == SNAPSHOT_CLAIM) {
            snprintf(text, sizeof text, "%.*s=%.*s", (int)entry.key_len, entry.key,
                     (int)strcspn(entry.value, "8-") - 1, entry.value);
        } else {
            for (size_t at = 0; at < entry.value_len; at++)
                n += entry.value[at] == '\n';
            snprintf(text, sizeof text, "%.*s: %zu", (int)entry.key_len, entry.key, n);
        }
        n = 0;
        while (n < expected_count && strcmp(expected[n], text) != 0)
            n++;
        if (n == expected_count)
            fail_msg("%s", text);
    }
    assert_int_equal(count, expected_count);
    folder_unmap(&file);
}

#define ASSERT_SNAPSHOT(...)                            \
    assert_snapshot((const char *const[]){__VA_ARGS__}, \
                    LENGTH(((const char *const[]){__VA_ARGS__})))

static const struct decision UNUSED bob_4 = {"4A", {{"bob@dest.example", 4, RECORD_CLAIMED}}};
static const struct decision UNUSED bob_0 = {"4B", {{"bob@dest.example", 0, RECORD_CLAIMED}}};
static const struct decision UNUSED eve_1 = {
    "4A", {{"eve@dest.example", 1, RECORD_SPARE}, {"carl@dest.example", 1, RECORD_UNCLAIMED}}};

#endif
