/* compact - a new snapshot from the old one and the segments of the journal */
#include "store/compact.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "lib/log.h"
#include "store/journal.h"
#include "store/snapshot.h"
#include "store/sources.h"
#include "table/slots.h"

enum { MANY_SEGMENTS = 64 };

struct compaction {
    const struct compact_config *config;
    struct compact_result result;
    struct sources sources;
    struct snapshot_writer *writer;
    /* What a newer record has said something of: a set, of which the priorities mean nothing. */
    struct slots seen;
    unsigned char hash_keys[2][crypto_shorthash_siphashx24_KEYBYTES]; /* by snapshot_kind */
    struct source_claims claims;
    struct record value;
};

/* The set of what has been seen */

/* Records from the segments alone go into the set: no less than one line is of each. */
static size_t count_lines(const struct sources *sources)
{
    size_t lines = 0;

    for (size_t n = 0; n < sources->count; n++) {
        const struct source_segment *segment = &sources->segments[n];

        for (size_t m = 0; m < segment->count; m++) {
            const char *at = segment->records[m].text, *end = at + segment->records[m].len;

            for (; at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
                lines++;
        }
    }
    return lines;
}

static bool make_seen(struct compaction *c)
{
    if (sodium_init() < 0)
        return false;
    randombytes_buf(c->hash_keys, sizeof c->hash_keys);
    c->seen.capacity = count_lines(&c->sources);
    c->seen.count = slots_needed(c->seen.capacity);
    c->seen.shared = calloc(1, sizeof *c->seen.shared);
    c->seen.slot = calloc(c->seen.count, sizeof *c->seen.slot);
    return c->seen.shared != NULL && c->seen.slot != NULL;
}

static struct slots_hash hash_of(const struct compaction *c, enum snapshot_kind kind,
                                 const char *key, size_t key_len)
{
    struct slots_hash hash;

    crypto_shorthash_siphashx24((unsigned char *)hash.part, (const unsigned char *)key, key_len,
                                c->hash_keys[kind]);
    return hash;
}

static bool is_seen(const struct compaction *c, const struct slots_hash *hash)
{
    int ignored;

    return slots_peek(&c->seen, hash, &ignored) == 1;
}

/* Whether this is the first time. */
static bool see(struct compaction *c, enum snapshot_kind kind, const char *key)
{
    struct slots_hash hash = hash_of(c, kind, key, strlen(key));

    return !is_seen(c, &hash) && slots_set(&c->seen, &hash, 0, 0);
}

/* What goes into the new snapshot */

static bool wants_claim(const struct compaction *c, const char *key, size_t key_len, int priority)
{
    return c->config->wants_claim == NULL ||
           c->config->wants_claim(c->config->arg, key, key_len, priority);
}

static bool wants_message(const struct compaction *c, const struct record_reader *message)
{
    return c->config->wants_message == NULL ||
           c->config->wants_message(c->config->arg, message->queue_id, message->wall_ms);
}

static void add_claim(struct compaction *c, const char *key, size_t key_len, const char *value,
                      size_t value_len)
{
    snapshot_add_claim(c->writer, key, key_len, value, value_len);
    c->result.claims++;
}

static void add_message(struct compaction *c, const char *queue_id, const char *text, size_t len)
{
    snapshot_add_message(c->writer, queue_id, text, len);
    c->result.messages++;
}

/* Backwards: the last claim of a record is its latest. false: out of memory. */
static bool add_record(struct compaction *c, struct source_segment *segment,
                       const struct source_record *record)
{
    const struct record_reader *message = &c->claims.reader;
    int got = source_claims_read(&c->claims, segment, record);

    if (got != 1)
        return got == 0;
    for (size_t n = c->claims.count; n > 0; n--) {
        const struct record_recipient *claim = &c->claims.claims[n - 1];
        size_t key_len = strlen(claim->key);

        if (!see(c, SNAPSHOT_CLAIM, claim->key) ||
            !wants_claim(c, claim->key, key_len, claim->priority))
            continue;
        record_claim_value(&c->value, message->queue_id, message->wall_ms, claim);
        if (c->value.failed)
            return false;
        add_claim(c, claim->key, key_len, c->value.text, c->value.len);
    }
    if (see(c, SNAPSHOT_MESSAGE, message->queue_id) && c->claims.is_whole &&
        wants_message(c, message))
        add_message(c, message->queue_id, record->text, record->len);
    return true;
}

static bool add_segments(struct compaction *c)
{
    for (size_t n = c->sources.count; n > 0; n--) {
        struct source_segment *segment = &c->sources.segments[n - 1];

        for (size_t m = segment->count; m > 0; m--)
            if (!add_record(c, segment, &segment->records[m - 1]))
                return false;
    }
    return true;
}

/* An entry of the old snapshot, in which each key stands once. */
static void add_entry(struct compaction *c, const struct snapshot_entry *entry)
{
    struct slots_hash hash = hash_of(c, entry->kind, entry->key, entry->key_len);
    struct record_reader message;

    if (is_seen(c, &hash))
        return;
    if (entry->kind == SNAPSHOT_CLAIM) {
        int priority = record_claim_priority(entry->value, entry->value_len);

        if (priority < 0)
            c->sources.snapshot.damaged++;
        else if (wants_claim(c, entry->key, entry->key_len, priority))
            add_claim(c, entry->key, entry->key_len, entry->value, entry->value_len);
        return;
    }
    if (!record_read(&message, entry->value, entry->value_len)) {
        c->sources.snapshot.damaged++;
        return;
    }
    if (wants_message(c, &message))
        add_message(c, message.queue_id, entry->value, entry->value_len);
    record_reader_free(&message);
}

static void add_old_snapshot(struct compaction *c)
{
    struct snapshot_entry entry;

    while (snapshot_next(&c->sources.snapshot, &entry))
        add_entry(c, &entry);
}

static bool fail(const struct compaction *c, char why_r[FOLDER_WHY_SIZE])
{
    snprintf(why_r, FOLDER_WHY_SIZE, "write a new " FOLDER_SNAPSHOT " in %.400s: %m",
             c->config->folder);
    return false;
}

static bool write_new(struct compaction *c, char why_r[FOLDER_WHY_SIZE])
{
    c->writer = snapshot_create(c->config->folder);
    if (c->writer == NULL)
        return fail(c, why_r);
    if (make_seen(c) && add_segments(c)) {
        add_old_snapshot(c);
        return true;
    }
    snprintf(why_r, FOLDER_WHY_SIZE, "out of memory");
    return false;
}

/* Replacing */

/* A damaged old snapshot stays under a second name, so that there is one by the first at any time.
 */
static bool commit(struct compaction *c, char why_r[FOLDER_WHY_SIZE])
{
    const char *folder = c->config->folder;
    bool is_damaged = sources_snapshot_is_damaged(&c->sources);
    char aside[PATH_MAX];
    struct stat status;
    int error;

    if (c->result.is_damaged && !folder_set_incomplete(folder, true))
        return fail(c, why_r);
    if (is_damaged && !folder_keep_aside(folder, FOLDER_SNAPSHOT, c->config->wall_ms, aside))
        return fail(c, why_r);
    if (!snapshot_commit(&c->writer)) {
        error = errno;
        /* Unless it is the only name by now. */
        if (is_damaged && lstat(aside, &status) == 0 && status.st_nlink > 1)
            unlink(aside);
        errno = error;
        return fail(c, why_r);
    }
    if (is_damaged)
        log_warn("%s/" FOLDER_SNAPSHOT " is damaged, and is kept as %s", folder, aside);
    return true;
}

/* Whether it is gone. */
static bool remove_segment(const struct compaction *c, const struct source_segment *segment)
{
    char path[PATH_MAX];

    if (!folder_segment_path(c->config->folder, segment->number, path))
        return false;
    if (source_segment_is_damaged(segment)) {
        folder_set_aside(c->config->folder, strrchr(path, '/') + 1, c->config->wall_ms);
        return access(path, F_OK) != 0;
    }
    if (unlink(path) == 0 || errno == ENOENT)
        return true;
    log_warn("remove %s, which is in " FOLDER_SNAPSHOT " now: %m", path);
    return false;
}

/* The oldest first, and none where an older one stays: claims are read in the order of segments,
 * and what an old one says shall not come after what a newer one said. */
static void remove_segments(struct compaction *c)
{
    const struct compact_config *config = c->config;
    size_t count = c->sources.count;

    if (config->segments == COMPACT_CLOSED && count > 0)
        count--;
    while (c->result.segments < count) {
        const struct source_segment *segment = &c->sources.segments[c->result.segments];

        if ((config->segments_below > 0 && segment->number >= config->segments_below) ||
            !remove_segment(c, segment))
            break;
        c->result.segments++;
    }
    if (!folder_sync(c->config->folder))
        log_warn("sync %s: %m", c->config->folder);
}

static bool replace(struct compaction *c, char why_r[FOLDER_WHY_SIZE])
{
    c->result.is_damaged = sources_are_damaged(&c->sources);
    if (!commit(c, why_r))
        return false;
    if (!c->config->is_reported)
        sources_log_damage(&c->sources);
    remove_segments(c);
    return true;
}

bool compact(const struct compact_config *config, struct compact_result *result_r,
             char why_r[FOLDER_WHY_SIZE])
{
    struct compaction c = {.config = config};
    bool done;

    if (!sources_open(&c.sources, config->folder, why_r))
        return false;
    done = write_new(&c, why_r) && replace(&c, why_r);
    if (done)
        *result_r = c.result;
    snapshot_abandon(&c.writer);
    source_claims_free(&c.claims);
    free(c.value.text);
    free(c.seen.shared);
    free(c.seen.slot);
    sources_close(&c.sources);
    return done;
}

/* When */

/* Add up the closed segments. */
static bool measure_closed(const char *folder, size_t *count_r, int64_t *bytes_r)
{
    uint64_t *numbers;
    char path[PATH_MAX];
    struct stat status;
    bool seen = true;

    if (!folder_segments(folder, &numbers, count_r))
        return false;
    *count_r -= *count_r > 0;
    *bytes_r = 0;
    for (size_t n = 0; n < *count_r && seen; n++) {
        seen = folder_segment_path(folder, numbers[n], path) && stat(path, &status) == 0;
        if (seen)
            *bytes_r += status.st_size;
    }
    free(numbers);
    return seen;
}

bool compact_is_worthwhile(const char *folder)
{
    char path[PATH_MAX];
    struct stat snapshot = {0};
    int64_t bytes;
    size_t count;

    if (!measure_closed(folder, &count, &bytes) || !folder_path(folder, FOLDER_SNAPSHOT, path) ||
        (stat(path, &snapshot) != 0 && errno != ENOENT))
        return false;
    return count >= MANY_SEGMENTS || (bytes > snapshot.st_size && bytes > JOURNAL_SEGMENT_MAX);
}
