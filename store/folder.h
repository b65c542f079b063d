/*
 * folder - the files of the store: names, order, locks
 *
 *   decisions.cdb           the snapshot (store/snapshot.h)
 *   journal.0000000001 ...  segments of the journal, in order; the last may be being written to
 *   *.damaged-TIME          what was set aside
 *   incomplete              decisions have been lost that mail may still need
 *   *.lock                  of the decision table, and of who tidies up
 *
 * The folder itself is locked (flock(2)) by whoever replaces or removes files, and shared by who
 * reads them all. peg-milter makes segments, one after another, without that lock. Others only ever
 * touch segments before the last.
 *
 * Not for concurrent use on one object.
 */
#ifndef PEG_FOLDER_H
#define PEG_FOLDER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"

#define FOLDER_SNAPSHOT "decisions.cdb"

enum { FOLDER_WHY_SIZE = 512 };

/* The path of a file in the folder; false, with ENAMETOOLONG, where it would not fit. */
bool folder_path(const char *folder, const char *name, char path_r[PATH_MAX]) PEG_MUST_USE;

/* The path of a segment. */
bool folder_segment_path(const char *folder, uint64_t number, char path_r[PATH_MAX]) PEG_MUST_USE;

/* The numbers of all segments, ascending, to be freed with free(). false with errno. */
bool folder_segments(const char *folder, uint64_t **numbers_r, size_t *count_r) PEG_MUST_USE;

enum folder_lock { FOLDER_SHARED, FOLDER_EXCLUSIVE };

/*
 * Wait for the lock. Returns a descriptor that holds it until it is closed; -1 with the reason in
 * why_r. Threads and processes exclude each other alike.
 */
int folder_lock(const char *folder, enum folder_lock how, char why_r[FOLDER_WHY_SIZE]) PEG_MUST_USE;

/*
 * Check that every file of the store can be read, and that this user may make new ones (a full disk
 * is no reason to say no). false: which cannot, and why, in why_r.
 */
bool folder_is_usable(const char *folder, char why_r[FOLDER_WHY_SIZE]) PEG_MUST_USE;

/* A file in memory, read-only; bytes is NULL where it is empty. */
struct folder_file {
    const unsigned char *bytes;
    size_t len;
};

/* Map a file: 1; 0 there is none; -1 with errno. To be unmapped with folder_unmap(). */
int folder_map(const char *path, struct folder_file *file_r) PEG_MUST_USE;
void folder_unmap(struct folder_file *file);

/* Make the names in the folder durable (fsync). false with errno. */
bool folder_sync(const char *folder) PEG_MUST_USE;

/* The same with a copy, for a file that may become shorter meanwhile. */
int folder_copy(const char *path, struct folder_file *file_r) PEG_MUST_USE;

/*
 * Give a file a second name, NAME.damaged-TIME, time in UTC from wall_ms, never one that is there.
 * That name goes to aside_r. false with errno.
 */
bool folder_keep_aside(const char *folder, const char *name, int64_t wall_ms,
                       char aside_r[PATH_MAX]) PEG_MUST_USE;

/* Leave it that name alone. Says in the log what was done. */
void folder_set_aside(const char *folder, const char *name, int64_t wall_ms);

/*
 * Say, with an empty file of this name, that decisions have been lost from these files; or that no
 * mail needs them any more. Durable. false with errno.
 */
#define FOLDER_INCOMPLETE "incomplete"
bool folder_set_incomplete(const char *folder, bool is_incomplete) PEG_MUST_USE;
bool folder_is_incomplete(const char *folder) PEG_MUST_USE;

#endif
