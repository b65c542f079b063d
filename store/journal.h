/*
 * journal - decisions made durable before they count, many sessions with one fdatasync
 *
 * journal_append() of several threads at once: the first of them writes and syncs what all have
 * brought by then; those that come meanwhile share the next. Segments (store/folder.h) grow to a
 * certain size, then the next one is begun. A journal that is opened begins a segment of its own.
 *
 * Where a write or sync fails, what it carried is not durable and journal_append() says so; the
 * segment is given up (after a failed fdatasync nobody knows what is on disk), and the next append
 * begins another. Failures are logged, once a minute at most.
 */
#ifndef PEG_JOURNAL_H
#define PEG_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "store/folder.h"

struct journal;

struct journal_config {
    const char *folder;        /* copied */
    size_t segment_max;        /* bytes after which a segment is closed; 0: JOURNAL_SEGMENT_MAX */
    int (*sync)(int fd);       /* NULL: fdatasync(2) */
    int64_t (*clock_ms)(void); /* for the log's limit; NULL: clock_boot_ms() */
};

enum { JOURNAL_SEGMENT_MAX = 4 * 1024 * 1024 };

/*
 * Open the journal for writing; the caller is its only writer (store/recover.h says why). No file
 * is made before the first append. NULL: out of memory, or the folder cannot be read, for the
 * reason in why_r.
 */
struct journal *journal_open(const struct journal_config *config,
                             char why_r[FOLDER_WHY_SIZE]) PEG_MUST_USE;

/* Close and free *journal, and set it to NULL. No thread may be in journal_append(). */
void journal_close(struct journal **journal);

enum journal_sync {
    JOURNAL_SYNC,   /* return when it is on disk */
    JOURNAL_NO_SYNC /* return when it is written: a crash of the machine may lose it */
};

/*
 * Append a record (text of store/record.h). Returns whether it is as durable as asked for. Threads:
 * any number at once.
 */
bool journal_append(struct journal *journal, const char *text, size_t len,
                    enum journal_sync sync) PEG_MUST_USE;

/* Whether segments have been closed since this was last asked; after opening: whether there are
 * any. Thread-safe. */
bool journal_has_closed_segments(struct journal *journal);

struct journal_stats {
    uint64_t records;  /* appended with success */
    uint64_t syncs;    /* fdatasync(2) that succeeded */
    uint64_t failures; /* records that could not be made durable */
    uint64_t waiting;  /* now, in journal_append() */
};

/* Thread-safe. */
struct journal_stats journal_stats(struct journal *journal);

#endif
