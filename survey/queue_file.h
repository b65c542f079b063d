/*
 * queue_file - what the head of a Postfix queue file says about its message
 *
 * A queue file is a sequence of records: type, length in portions of seven bits, content (Postfix
 * src/global/record.c, rec_type.h). Read are, as showq(8) does for `postqueue -j`:
 *
 *   C  message size, offset of the content, number of recipients, ...: cleanup(8) writes it first,
 *      all zero, and once more when the message is complete
 *   T  time of arrival: seconds, and microseconds, which postqueue leaves out; it stays the same
 *      where `postsuper -r` queues the message again
 *   S  the sender: there the message begins for showq(8)
 *   /  a recipient that a milter took away; the number in C has it still
 *   p  go on at another offset: there is what milters changed and added
 *   M  the end of the envelope
 *
 * Threads: every call may run concurrently.
 */
#ifndef PEG_QUEUE_FILE_H
#define PEG_QUEUE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"

/* A file is read in such pieces: the envelope of a message with some dozens of recipients. */
enum { QUEUE_FILE_PIECE_SIZE = 4096 };

struct queue_file {
    bool has_size;
    uint64_t octets;     /* where has_size, as Postfix counts them */
    uint64_t recipients; /* those included that have the message already; 0: not told */
    int64_t arrival_ms;  /* since 1970 (UTC); 0: not told */
};

/*
 * Read the bytes of a queue file, of which the end may be missing. Returns false where they are not
 * those of a message that Postfix has taken over: while it is being written, and where they are no
 * queue file's. Not more than eight pieces are read, so of a message with hundreds of recipients
 * those that were taken away further behind are counted as if they were there. Pure.
 */
bool queue_file_parse(const char *bytes, size_t len, struct queue_file *file_r) PEG_MUST_USE;

/*
 * Read the queue file `name` in the folder dir_fd. What it does not tell is taken from the file
 * itself, as showq(8) does: its size, its time. Returns 1; 0 where it is gone, or is none as above;
 * -1 with errno.
 */
int queue_file_read(int dir_fd, const char *name, struct queue_file *file_r) PEG_MUST_USE;

#endif
