/*
 * compact - a new snapshot from the old one and the segments of the journal, which then go
 *
 * A key's latest claim, and a queue ID's latest record, are kept where the caller wants them.
 */
#ifndef PEG_COMPACT_H
#define PEG_COMPACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "store/folder.h"

enum compact_segments {
    COMPACT_CLOSED, /* the last one stays: a journal may be writing to it */
    COMPACT_ALL     /* nobody writes */
};

struct compact_config {
    const char *folder;
    enum compact_segments segments;
    uint64_t segments_below; /* keep those from this number on; 0: there is no such number */
    /* NULL: all of them. */
    bool (*wants_claim)(void *arg, const char *key, size_t key_len, int priority);
    bool (*wants_message)(void *arg, const char *queue_id, int64_t decided_wall_ms);
    void *arg;
    int64_t wall_ms;  /* for the names of files that are set aside */
    bool is_reported; /* the log has what is damaged already */
};

struct compact_result {
    size_t claims; /* in the new snapshot */
    size_t messages;
    size_t segments; /* that are gone */
    bool is_damaged; /* something was left out because it was not whole; the log says which file */
};

/*
 * Write a new snapshot of all that is in the store, then remove the segments that are in it and
 * need not stay; those that were damaged, and a damaged snapshot, are set aside, after the folder
 * was marked as incomplete. The caller holds the folder's lock, FOLDER_EXCLUSIVE. false: all files
 * are as they were, but for that mark, for the reason in why_r.
 */
bool compact(const struct compact_config *config, struct compact_result *result_r,
             char why_r[FOLDER_WHY_SIZE]) PEG_MUST_USE;

/*
 * Whether the closed segments have become worth it: larger than the snapshot and than a segment, or
 * many. false also where that cannot be seen.
 */
bool compact_is_worthwhile(const char *folder) PEG_MUST_USE;

#endif
