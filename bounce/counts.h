/*
 * counts - how many bounces a Postfix has had, and what became of their commands
 *
 * A file of text beside the state (bounce/state.h), a line each: name, blank, number. They go on
 * for as long as the folder is there, and begin again at 0 where the file is damaged.
 */
#ifndef PEG_BOUNCE_COUNTS_H
#define PEG_BOUNCE_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"

#define COUNTS_FILE "counts"

struct counts {
    uint64_t bounces;   /* messages that went back to their senders */
    uint64_t held_back; /* of these: not told at once, for BOUNCE_COMMAND_LIMIT */
    uint64_t calls;     /* of the command that ended with status 0 */
    uint64_t failures;  /* calls that did not, or could not be made */
};

enum { COUNTS_TEXT_SIZE = 256 };

/* Pure. Lines of other names are left out; false where one is no such line. */
bool counts_parse(const char *text, size_t len, struct counts *counts_r) PEG_MUST_USE;

/* Its length. */
size_t counts_format(const struct counts *counts, char text_r[COUNTS_TEXT_SIZE]);

/*
 * Read the counts in the folder dir_fd, whose owner is not trusted: a link or a device is refused.
 * 1; 0: there are none yet; -1 with errno, EBADMSG where the file is damaged.
 */
int counts_read(int dir_fd, struct counts *counts_r) PEG_MUST_USE;

/* Add to them, under a lock of the caller's; readers see the old or the new ones. What is damaged
 * counts as nothing. false with errno. */
bool counts_add(int dir_fd, const struct counts *more) PEG_MUST_USE;

#endif
