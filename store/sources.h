/*
 * sources - the files of the store, opened for reading: the snapshot, and the journal's segments
 * with their whole records
 *
 * The caller holds the folder's lock. Not for concurrent use on one object.
 */
#ifndef PEG_SOURCES_H
#define PEG_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "store/folder.h"
#include "store/record.h"
#include "store/snapshot.h"

struct source_record {
    const char *text; /* part of the mapped file */
    size_t len;
};

struct source_segment {
    uint64_t number;
    struct folder_file file;
    struct source_record *records; /* in the order they were written in */
    size_t count;
    size_t damaged;    /* bytes that belong to no whole record */
    size_t torn;       /* bytes at the end that look like a write cut short: never relied on */
    size_t unreadable; /* whole records that are not what store/record.h says, seen so far */
};

struct sources {
    const char *folder; /* borrowed */
    bool has_snapshot;
    struct folder_file snapshot_file;
    struct snapshot_reader snapshot; /* at the first entry */
    struct source_segment *segments; /* in order */
    size_t count;
};

/*
 * Open all files; the last segment, to which a journal may be writing, as it is now. false: one of
 * them cannot be read, for the reason in why_r; nothing is open.
 */
bool sources_open(struct sources *sources_r, const char *folder,
                  char why_r[FOLDER_WHY_SIZE]) PEG_MUST_USE;
void sources_close(struct sources *sources);

/* One record, with its claims in the order of its recipients. Begin with all zero, and free it with
 * source_claims_free(); strings are valid until it is used for another record. */
struct source_claims {
    struct record_reader reader; /* the message */
    struct record_recipient *claims;
    size_t count;
    size_t room;
    bool is_whole; /* false: lines that cannot be read were left out */
};

/*
 * Read a record of a segment; what cannot be read is counted there. 1; 0 where nothing of it can;
 * -1 out of memory.
 */
int source_claims_read(struct source_claims *claims, struct source_segment *segment,
                       const struct source_record *record) PEG_MUST_USE;
void source_claims_free(struct source_claims *claims);

/* What is damaged, as far as it has been read. */
bool source_segment_is_damaged(const struct source_segment *segment);
bool sources_snapshot_is_damaged(const struct sources *sources);
bool sources_are_damaged(const struct sources *sources);

/* Say in the log which files are damaged, and how much of them. To be called when all is read. */
void sources_log_damage(const struct sources *sources);

#endif
