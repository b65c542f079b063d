/* file - read a whole file, write all of some bytes, replace a file at once */
#ifndef PEG_FILE_H
#define PEG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/attr.h"

/*
 * Read a file of at most max_len bytes. Returns its bytes with a NUL behind them, to be freed with
 * free(), and their number; NULL with errno where it cannot be read (EFBIG: it is larger).
 */
char *file_read(const char *path, size_t max_len, size_t *len_r) PEG_MUST_USE;

/* Write all bytes, however often write(2) takes a part only. false with errno. */
bool file_write(int fd, const void *bytes, size_t len) PEG_MUST_USE;

/*
 * Put a file of exactly this mode into the folder dir_fd, in the place of one that has that name:
 * readers see the old one or the new one, and a link of that name is replaced, not followed. Not
 * made durable. One caller at a time for each name. false with errno.
 */
bool file_replace_at(int dir_fd, const char *name, const void *bytes, size_t len,
                     mode_t mode) PEG_MUST_USE;

#endif
