/* recover - have the claims back from the snapshot and the journal */
#include "store/recover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "store/compact.h"
#include "store/sources.h"

struct recovery {
    void (*add)(void *arg, const char *key, size_t key_len, int priority);
    void *arg;
    struct recover_result result;
};

static void add_claim(struct recovery *recovery, const char *key, size_t key_len, int priority)
{
    recovery->add(recovery->arg, key, key_len, priority);
    recovery->result.claims++;
}

static void read_snapshot(struct recovery *recovery, struct sources *sources)
{
    struct snapshot_entry entry;

    while (snapshot_next(&sources->snapshot, &entry)) {
        if (entry.kind == SNAPSHOT_MESSAGE) {
            recovery->result.messages++;
        } else {
            int priority = record_claim_priority(entry.value, entry.value_len);

            if (priority < 0)
                sources->snapshot.damaged++;
            else
                add_claim(recovery, entry.key, entry.key_len, priority);
        }
    }
}

/* Backwards. false: out of memory. */
static bool read_segment(struct recovery *recovery, struct source_segment *segment,
                         struct source_claims *claims)
{
    for (size_t n = segment->count; n > 0; n--) {
        int got = source_claims_read(claims, segment, &segment->records[n - 1]);

        if (got < 0)
            return false;
        if (got == 0)
            continue;
        recovery->result.messages += claims->is_whole;
        for (size_t m = claims->count; m > 0; m--)
            add_claim(recovery, claims->claims[m - 1].key, strlen(claims->claims[m - 1].key),
                      claims->claims[m - 1].priority);
    }
    return true;
}

static bool read_all(struct recovery *recovery, struct sources *sources,
                     char why_r[FOLDER_WHY_SIZE])
{
    struct source_claims claims = {0};
    bool done = true;

    for (size_t n = sources->count; n > 0 && done; n--)
        done = read_segment(recovery, &sources->segments[n - 1], &claims);
    source_claims_free(&claims);
    if (done)
        read_snapshot(recovery, sources);
    if (!done)
        snprintf(why_r, FOLDER_WHY_SIZE, "out of memory");
    return done;
}

static void log_torn(const struct sources *sources)
{
    char path[PATH_MAX];

    for (size_t n = 0; n < sources->count; n++) {
        const struct source_segment *segment = &sources->segments[n];

        if (segment->torn > 0 && folder_segment_path(sources->folder, segment->number, path))
            log_info("%s ends with %zu bytes of a write that was cut short: nobody relied on them",
                     path, segment->torn);
    }
}

/* Write what is good anew, and set aside what is not. */
static void repair(const char *folder, int64_t wall_ms)
{
    const struct compact_config config = {
        .folder = folder, .segments = COMPACT_ALL, .wall_ms = wall_ms, .is_reported = true};
    struct compact_result result;
    char why[FOLDER_WHY_SIZE];

    if (!compact(&config, &result, why))
        log_warn("what is damaged in %s stays there for now: %s", folder, why);
}

bool recover(const char *folder, int64_t wall_ms,
             void (*add)(void *arg, const char *key, size_t key_len, int priority), void *arg,
             struct recover_result *result_r, char why_r[FOLDER_WHY_SIZE])
{
    struct recovery recovery = {.add = add, .arg = arg};
    struct sources sources;
    bool done = false, is_damaged = false;
    int lock;

    if (access(folder, F_OK) != 0 && errno == ENOENT) {
        *result_r = recovery.result;
        return true;
    }
    lock = folder_lock(folder, FOLDER_EXCLUSIVE, why_r);
    if (lock < 0)
        return false;
    if (sources_open(&sources, folder, why_r)) {
        done = read_all(&recovery, &sources, why_r);
        is_damaged = sources_are_damaged(&sources);
        recovery.result.is_damaged = is_damaged || folder_is_incomplete(folder);
        if (done) {
            log_torn(&sources);
            sources_log_damage(&sources);
        }
        sources_close(&sources);
    }
    if (done && is_damaged)
        repair(folder, wall_ms);
    close(lock);
    if (done)
        *result_r = recovery.result;
    return done;
}
