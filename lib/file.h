/* file - read a whole file, write all of some bytes */
#ifndef PEG_FILE_H
#define PEG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"

/*
 * Read a file of at most max_len bytes. Returns its bytes with a NUL behind them, to be freed with
 * free(), and their number; NULL with errno where it cannot be read (EFBIG: it is larger).
 */
char *file_read(const char *path, size_t max_len, size_t *len_r) PEG_MUST_USE;

/* Write all bytes, however often write(2) takes a part only. false with errno. */
bool file_write(int fd, const void *bytes, size_t len) PEG_MUST_USE;

#endif
