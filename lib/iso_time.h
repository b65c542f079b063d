/*
 * iso_time - times as text that sorts: `2026-11-22T19:04:43.123Z` (ISO 8601, UTC)
 *
 * Pure; thread-safe. Milliseconds since 1970 (UTC).
 */
#ifndef PEG_ISO_TIME_H
#define PEG_ISO_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

enum { ISO_TIME_LEN = 24, ISO_TIME_SIZE = ISO_TIME_LEN + 1 };

/* With a NUL. A time before 1970 or after 9999 becomes the nearest within. */
void iso_time_print(int64_t wall_ms, char text_r[ISO_TIME_SIZE]);

/* Whether text, which needs no NUL behind it, is such a time, which is read. */
bool iso_time_parse(const char text[ISO_TIME_LEN], int64_t *wall_ms_r) PEG_MUST_USE;

#endif
