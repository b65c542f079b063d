/*
 * snapshot - the claims as a cdb file, readable with cdb(1) and `postmap -f -q KEY cdb:...`
 *
 *   routing key -> value of store/record.h, blank, sum
 *   queue ID    -> record of store/record.h, a line with the sum
 *   `:peg`      -> `1 ` and the sum of the file; the first record
 *
 * The sum of an entry is that of its bytes in the file before the sum (and the blank): lengths, key
 * and value. The sum of the file is that of the digits of two: of what stands before it, and
 * behind. It tells whether the file is whole; those of the entries, what can be had from one that
 * is not. (constant database: tinycdb, cdb(5).)
 *
 * Not for concurrent use on one object.
 */
#ifndef PEG_SNAPSHOT_H
#define PEG_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "store/folder.h"

struct snapshot_writer;

/*
 * Begin a new snapshot in the folder, under a temporary name; one that was left behind there goes.
 * The caller holds the folder's lock, FOLDER_EXCLUSIVE. NULL with errno.
 */
struct snapshot_writer *snapshot_create(const char *folder) PEG_MUST_USE;

/* Add an entry, with its sum. What failed is told by snapshot_commit(). */
void snapshot_add_claim(struct snapshot_writer *writer, const char *key, size_t key_len,
                        const char *value, size_t value_len);
void snapshot_add_message(struct snapshot_writer *writer, const char *queue_id, const char *text,
                          size_t text_len);

/*
 * Finish, sync, and give it its name in the place of the one before, all durable. false with errno:
 * the old one is untouched (or, where it is the folder that could not be synced, nobody knows
 * which of them a crash would leave). Frees *writer in any case and sets it to NULL.
 */
bool snapshot_commit(struct snapshot_writer **writer) PEG_MUST_USE;

/* Give up; nothing is left behind. Also for NULL. */
void snapshot_abandon(struct snapshot_writer **writer);

enum snapshot_kind { SNAPSHOT_CLAIM, SNAPSHOT_MESSAGE };

struct snapshot_entry {
    enum snapshot_kind kind;
    const char *key; /* part of the mapped file, as value is; no NUL */
    size_t key_len;
    const char *value; /* without its sum */
    size_t value_len;
};

/* Reads entries one after another, from a file in memory that must stay. */
struct snapshot_reader {
    struct folder_file file;
    size_t at;
    size_t end;     /* where to stop: of the entries, or of the file where that cannot be trusted */
    bool is_whole;  /* false: something is damaged, maybe only what cdb(1) needs to find entries */
    size_t damaged; /* parts left out so far, of one entry or several */
};

/* false: these bytes are no snapshot at all; nothing can be read. */
bool snapshot_read(struct snapshot_reader *reader_r, const struct folder_file *file) PEG_MUST_USE;

/* The next good entry; false at the end. */
bool snapshot_next(struct snapshot_reader *reader, struct snapshot_entry *entry_r) PEG_MUST_USE;

/* Find a message by queue ID: its record, part of the file. false where there is none, or it is
 * damaged. Reads all of the file, so that a damaged index hides nothing. */
bool snapshot_find_message(const struct folder_file *file, const char *queue_id,
                           const char **text_r, size_t *text_len_r) PEG_MUST_USE;

#endif
