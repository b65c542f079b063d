/*
 * record - what was decided for one message, as text
 *
 * The same text stands in the journal and, under the message's queue ID, in the cdb:
 *
 *   4XyZ0 2026-11-22T19:04:43.123Z respell
 *   4 8 + bob@Dest.example bob@dest.example
 *   4 8 = bob@dEst.example
 *   2 - + carl@dest.example
 *
 * First line: queue ID, time (UTC), way; `filter` is followed by its priority. Then a line for each
 * recipient: priority, line of the rule that decided (`-`: none did), what its routing key is (`+`
 * claimed; `-` not, since the whole message is directed; `=` claimed as a spare spelling, for a
 * moment), the routing key, and the one that was asked for where it is another.
 *
 * In the cdb each routing key has the latest claim on it as its value:
 *
 *   4 4XyZ0 8 2026-11-22T19:04:43.123Z
 *
 * Blanks, control characters and `%` in keys and queue IDs are written as %XX.
 *
 * Pure; thread-safe on different objects. No other clock than the times given.
 */
#ifndef PEG_RECORD_H
#define PEG_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"

enum record_use { RECORD_CLAIMED, RECORD_UNCLAIMED, RECORD_SPARE };

struct record_recipient {
    int priority;
    unsigned rule_line; /* 0: no rule */
    enum record_use use;
    const char *key;
    const char *given; /* the key that was asked for; NULL: the same */
};

/* Text being written. All zero is an empty one; free(text) ends it. */
struct record {
    char *text; /* NUL-terminated */
    size_t len;
    size_t room;
    bool failed; /* memory ran out: not to be used */
};

enum { RECORD_NO_FILTER = -1, RECORD_WAY_MAX = 16 };

/* Begin a message, with the memory of what was there before. way is one word; filter_priority
 * RECORD_NO_FILTER where it is not directed. wall_ms: milliseconds since 1970 (UTC). */
void record_begin(struct record *record, const char *queue_id, int64_t wall_ms, const char *way,
                  int filter_priority);
void record_add(struct record *record, const struct record_recipient *recipient);

/* A claim's value in the cdb, instead of what was there before. */
void record_claim_value(struct record *record, const char *queue_id, int64_t wall_ms,
                        const struct record_recipient *recipient);

/*
 * Reading, from text of text_len bytes that need no NUL behind them. The strings of the results are
 * copies in one buffer of the reader, which record_reader_free() frees.
 */
struct record_reader {
    /* The message: */
    const char *queue_id;
    int64_t wall_ms;
    char way[RECORD_WAY_MAX];
    int filter_priority;
    /* Its own: */
    char *buffer;
    char *next;
    char *end;
};

/* Whether text is a whole record; the first line is read. On false nothing is to be freed. */
bool record_read(struct record_reader *reader_r, const char *text, size_t text_len) PEG_MUST_USE;

/* The next recipient: 1; 0 at the end; -1 where the line cannot be read (none of the rest is). */
int record_next(struct record_reader *reader, struct record_recipient *recipient_r) PEG_MUST_USE;

void record_reader_free(struct record_reader *reader);

/* The priority in a claim's value; -1 where it is none. */
int record_claim_priority(const char *value, size_t value_len) PEG_MUST_USE;

#endif
