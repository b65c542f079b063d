/* record - what was decided for one message, as text */
#include "store/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/iso_time.h"

enum {
    PRIORITY_MAX = 253, /* table/table.h */
    PIECE_SIZE = 64,    /* for all that is not a key or a queue ID */
    ROOM_MIN = 512      /* enough for most messages */
};

static const char uses[] = "+-="; /* in the order of enum record_use */
static const char hex[] = "0123456789ABCDEF";

/* Blanks and newlines separate. Bytes from 0x80 are letters of UTF-8, and stay. */
static bool is_escaped(unsigned char c)
{
    return c <= ' ' || c == 0x7f || c == '%';
}

/* Writing */

/* Make room for len bytes and a NUL. */
static bool reserve(struct record *record, size_t len)
{
    size_t room = record->len + len + 1;
    char *text;

    if (record->failed || room <= record->room)
        return !record->failed;
    if (room < ROOM_MIN)
        room = ROOM_MIN;
    if (room < 2 * record->room)
        room = 2 * record->room;
    text = realloc(record->text, room);
    if (text == NULL) {
        record->failed = true;
        return false;
    }
    record->text = text;
    record->room = room;
    return true;
}

static void PEG_PRINTF(2, 3) add(struct record *record, const char *fmt, ...)
{
    va_list args;

    if (!reserve(record, PIECE_SIZE))
        return;
    va_start(args, fmt);
    record->len += (size_t)vsnprintf(record->text + record->len, PIECE_SIZE, fmt, args);
    va_end(args);
}

static void add_escaped(struct record *record, const char *word)
{
    char *to;

    if (!reserve(record, 3 * strlen(word)))
        return;
    to = record->text + record->len;
    for (const char *p = word; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;

        if (is_escaped(c)) {
            *to++ = '%';
            *to++ = hex[c >> 4];
            *to++ = hex[c & 15];
        } else {
            *to++ = *p;
        }
    }
    *to = '\0';
    record->len = (size_t)(to - record->text);
}

static void add_rule(struct record *record, unsigned rule_line)
{
    if (rule_line > 0)
        add(record, " %u", rule_line);
    else
        add(record, " -");
}

static void start(struct record *record)
{
    record->len = 0;
    record->failed = false;
}

void record_begin(struct record *record, const char *queue_id, int64_t wall_ms, const char *way,
                  int filter_priority)
{
    char time[ISO_TIME_SIZE];

    start(record);
    iso_time_print(wall_ms, time);
    add_escaped(record, queue_id);
    add(record, " %s %.*s", time, RECORD_WAY_MAX - 1, way);
    if (filter_priority != RECORD_NO_FILTER)
        add(record, " %d", filter_priority);
    add(record, "\n");
}

void record_add(struct record *record, const struct record_recipient *recipient)
{
    add(record, "%d", recipient->priority);
    add_rule(record, recipient->rule_line);
    add(record, " %c ", uses[recipient->use]);
    add_escaped(record, recipient->key);
    if (recipient->given != NULL) {
        add(record, " ");
        add_escaped(record, recipient->given);
    }
    add(record, "\n");
}

void record_claim_value(struct record *record, const char *queue_id, int64_t wall_ms,
                        const struct record_recipient *recipient)
{
    char time[ISO_TIME_SIZE];

    start(record);
    iso_time_print(wall_ms, time);
    add(record, "%d ", recipient->priority);
    add_escaped(record, queue_id);
    add_rule(record, recipient->rule_line);
    add(record, " %s", time);
}

/* Reading
 *
 * Only what was written above is taken, to the letter: anything else is damage. */

struct cursor {
    const char *at;
    const char *end;
};

static bool take_char(struct cursor *cursor, char c)
{
    if (cursor->at == cursor->end || *cursor->at != c)
        return false;
    cursor->at++;
    return true;
}

static bool is_digit(const struct cursor *cursor)
{
    return cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9';
}

static bool take_number(struct cursor *cursor, unsigned max, unsigned *number_r)
{
    const char *start_at = cursor->at;
    uint64_t number = 0;

    for (; is_digit(cursor) && number <= max; cursor->at++)
        number = number * 10 + (unsigned)(*cursor->at - '0');
    *number_r = (unsigned)number;
    return cursor->at > start_at && number <= max &&
           (*start_at != '0' || cursor->at == start_at + 1);
}

static bool take_priority(struct cursor *cursor, int *priority_r)
{
    unsigned number;
    bool good = take_number(cursor, PRIORITY_MAX, &number);

    *priority_r = (int)number;
    return good;
}

static bool take_rule(struct cursor *cursor, unsigned *rule_line_r)
{
    *rule_line_r = 0;
    return take_char(cursor, '-') ||
           (take_number(cursor, UINT32_MAX, rule_line_r) && *rule_line_r > 0);
}

static bool take_time(struct cursor *cursor, int64_t *wall_ms_r)
{
    if (cursor->end - cursor->at < ISO_TIME_LEN || !iso_time_parse(cursor->at, wall_ms_r))
        return false;
    cursor->at += ISO_TIME_LEN;
    return true;
}

static int hex_value(const struct cursor *cursor)
{
    const char *digit = cursor->at < cursor->end ? memchr(hex, *cursor->at, 16) : NULL;

    return digit != NULL ? (int)(digit - hex) : -1;
}

/* The byte of an escape whose `%` has been taken; 0 where there is none. */
static unsigned char take_escape(struct cursor *cursor)
{
    int byte = 0;

    for (int n = 0; n < 2; n++, cursor->at++) {
        int value = hex_value(cursor);

        if (value < 0)
            return 0;
        byte = byte * 16 + value;
    }
    return is_escaped((unsigned char)byte) ? (unsigned char)byte : 0;
}

/*
 * Take a word and the blank or newline behind it, which is returned; 0 where that is not what
 * stands there. The word goes to `to` with a NUL, unless that is NULL; it may be the same memory,
 * since no word is longer than its text.
 */
static char take_word(struct cursor *cursor, char *to)
{
    while (cursor->at < cursor->end) {
        unsigned char c = (unsigned char)*cursor->at++;

        if (c == ' ' || c == '\n') {
            if (to != NULL)
                *to = '\0';
            return (char)c;
        }
        if (c == '%')
            c = take_escape(cursor);
        else if (is_escaped(c))
            break;
        if (c == 0)
            break;
        if (to != NULL)
            *to++ = (char)c;
    }
    return 0;
}

/* The word at the cursor, in the reader's buffer, where it is decoded. */
static char *word_in(struct record_reader *reader, const struct cursor *cursor)
{
    return reader->buffer + (cursor->at - reader->buffer);
}

static bool read_first_line(struct record_reader *reader, struct cursor *cursor)
{
    const char *way;
    char behind;

    reader->queue_id = word_in(reader, cursor);
    if (take_word(cursor, word_in(reader, cursor)) != ' ' || !take_time(cursor, &reader->wall_ms) ||
        !take_char(cursor, ' '))
        return false;
    way = word_in(reader, cursor);
    behind = take_word(cursor, word_in(reader, cursor));
    if (behind == 0 || *way == '\0' || strlen(way) >= sizeof reader->way ||
        way + strlen(way) + 1 != cursor->at) /* with escapes it would be shorter */
        return false;
    strcpy(reader->way, way);
    reader->filter_priority = RECORD_NO_FILTER;
    return behind == '\n' ||
           (take_priority(cursor, &reader->filter_priority) && take_char(cursor, '\n'));
}

bool record_read(struct record_reader *reader_r, const char *text, size_t text_len)
{
    struct cursor cursor;

    *reader_r = (struct record_reader){0};
    if (text_len == 0 || text[text_len - 1] != '\n')
        return false;
    reader_r->buffer = malloc(text_len);
    if (reader_r->buffer == NULL)
        return false;
    memcpy(reader_r->buffer, text, text_len);
    reader_r->end = reader_r->buffer + text_len;
    cursor = (struct cursor){reader_r->buffer, reader_r->end};
    if (!read_first_line(reader_r, &cursor)) {
        record_reader_free(reader_r);
        return false;
    }
    reader_r->next = word_in(reader_r, &cursor);
    return true;
}

static bool take_use(struct cursor *cursor, enum record_use *use_r)
{
    const char *use = cursor->at < cursor->end ? memchr(uses, *cursor->at, sizeof uses - 1) : NULL;

    if (use == NULL)
        return false;
    cursor->at++;
    *use_r = (enum record_use)(use - uses);
    return true;
}

static bool read_recipient(struct record_reader *reader, struct cursor *cursor,
                           struct record_recipient *recipient_r)
{
    char behind;

    if (!take_priority(cursor, &recipient_r->priority) || !take_char(cursor, ' ') ||
        !take_rule(cursor, &recipient_r->rule_line) || !take_char(cursor, ' ') ||
        !take_use(cursor, &recipient_r->use) || !take_char(cursor, ' '))
        return false;
    recipient_r->given = NULL;
    recipient_r->key = word_in(reader, cursor);
    behind = take_word(cursor, word_in(reader, cursor));
    if (behind == ' ') {
        recipient_r->given = word_in(reader, cursor);
        behind = take_word(cursor, word_in(reader, cursor));
    }
    return behind == '\n';
}

int record_next(struct record_reader *reader, struct record_recipient *recipient_r)
{
    struct cursor cursor = {reader->next, reader->end};

    if (reader->next == reader->end)
        return 0;
    if (reader->next == NULL || !read_recipient(reader, &cursor, recipient_r)) {
        reader->next = NULL; /* the line is half decoded */
        return -1;
    }
    reader->next = word_in(reader, &cursor);
    return 1;
}

void record_reader_free(struct record_reader *reader)
{
    free(reader->buffer);
    *reader = (struct record_reader){0};
}

int record_claim_priority(const char *value, size_t value_len)
{
    struct cursor cursor = {value, value + value_len};
    unsigned rule_line;
    int64_t wall_ms;
    int priority;

    if (!take_priority(&cursor, &priority) || !take_char(&cursor, ' ') ||
        take_word(&cursor, NULL) != ' ' || !take_rule(&cursor, &rule_line) ||
        !take_char(&cursor, ' ') || !take_time(&cursor, &wall_ms) || cursor.at != cursor.end)
        return -1;
    return priority;
}
