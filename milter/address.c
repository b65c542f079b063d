/*
 * address - read the addresses of a To, Cc, Resent-To or Resent-Cc field value.
 *
 * One pass over the bytes. What stands between two separators is a member; the words of a member
 * that belong together (`joe . x @ example . com`) form a run. Whether a run is an address or a
 * piece of a display name is known only at the end of the member: an angle bracket turns all runs
 * before it into a name. So the text of a member is collected first: each finished run that is an
 * address, ended by a line feed, then the run that is being read. No address holds a line feed,
 * because unfolding removes them.
 */
#include "milter/address.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NO_AT SIZE_MAX

struct reader {
    const char *next;
    const char *end;
    char *text; /* runs of this member; never more bytes than were read, and one */
    size_t text_len;
    size_t run;      /* where in text the run being read starts */
    size_t at;       /* where in text that run has its last unquoted `@`, or NO_AT */
    bool many_runs;  /* a run of this member is finished */
    bool gap;        /* blank or comment since the last byte of text */
    bool glue;       /* the last byte of text was an unquoted `.` or `@`: no gap splits there */
    bool angle;      /* between `<` and `>` */
    bool angle_done; /* this member had its angle address */
    bool route;      /* what stands in text after `<` began with `@` */
    bool (*found)(void *arg, const char *addr, size_t addr_len);
    void *arg;
};

static void reader_clear(struct reader *reader)
{
    reader->text_len = 0;
    reader->run = 0;
    reader->at = NO_AT;
    reader->many_runs = false;
    reader->route = false;
}

/* The last `@` must be the unquoted one: else `a@"x@y"` would be taken for `"a@x"@y`. */
static bool reader_run_is_address(const struct reader *reader)
{
    const char *at;

    if (reader->at == NO_AT || reader->at == reader->run || reader->at + 1 == reader->text_len)
        return false;
    at = memrchr(reader->text + reader->run, '@', reader->text_len - reader->run);
    return at == reader->text + reader->at;
}

/* Keeps the run if it is an address; a lone word only counts where the member has no other. */
static void reader_end_run(struct reader *reader)
{
    if (reader_run_is_address(reader))
        reader->text[reader->text_len++] = '\n';
    else
        reader->text_len = reader->run;
    reader->run = reader->text_len;
    reader->at = NO_AT;
    reader->many_runs = true;
}

static bool reader_give_lone_word(const struct reader *reader)
{
    if (reader->text_len == 0 || memchr(reader->text, '@', reader->text_len) != NULL)
        return true;
    return reader->found(reader->arg, reader->text, reader->text_len);
}

static bool reader_give_runs(struct reader *reader)
{
    const char *addr = reader->text;
    const char *end;

    reader_end_run(reader);
    end = reader->text + reader->text_len;
    while (addr < end) {
        const char *line_end = memchr(addr, '\n', (size_t)(end - addr));

        if (!reader->found(reader->arg, addr, (size_t)(line_end - addr)))
            return false;
        addr = line_end + 1;
    }
    return true;
}

/* Gives the addresses of the text collected so far and forgets it. */
static bool reader_give(struct reader *reader)
{
    bool go_on;

    if (!reader->many_runs && reader->at == NO_AT)
        go_on = reader_give_lone_word(reader);
    else
        go_on = reader_give_runs(reader);
    reader_clear(reader);
    return go_on;
}

static bool reader_end_member(struct reader *reader)
{
    bool go_on = true;

    /* Words after `<...>` are no recipients to any reader of mail. */
    if (!reader->angle_done || reader->angle)
        go_on = reader_give(reader);
    else
        reader_clear(reader);
    reader->angle = false;
    reader->angle_done = false;
    return go_on;
}

static void reader_begin_word(struct reader *reader)
{
    if (reader->gap && !reader->glue && reader->text_len > reader->run) {
        /* In `<joe doe@x>` all is the address: it must not be taken for doe@x. */
        if (reader->angle)
            reader->text[reader->text_len++] = ' ';
        else
            reader_end_run(reader);
    }
    reader->gap = false;
    reader->glue = false;
}

static void reader_add_byte(struct reader *reader, char byte)
{
    reader_begin_word(reader);
    reader->text[reader->text_len++] = byte;
}

static void reader_add_joint(struct reader *reader, char byte)
{
    if (byte == '@') {
        if (reader->angle && reader->text_len == 0)
            reader->route = true;
        reader->at = reader->text_len;
    }
    reader->text[reader->text_len++] = byte;
    reader->glue = true;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* The byte after a backslash, or the backslash itself at the end of the field. */
static char reader_quoted_pair(struct reader *reader)
{
    return reader->next < reader->end ? *reader->next++ : '\\';
}

static void reader_skip_comment(struct reader *reader)
{
    size_t depth = 1;

    while (depth > 0 && reader->next < reader->end) {
        char byte = *reader->next++;

        if (byte == '\\')
            (void)reader_quoted_pair(reader);
        else if (byte == '(')
            depth++;
        else if (byte == ')')
            depth--;
    }
    reader->gap = true;
}

static void reader_add_quoted_string(struct reader *reader)
{
    reader_begin_word(reader);
    while (reader->next < reader->end) {
        char byte = *reader->next++;

        if (byte == '"')
            return;
        if (byte == '\\')
            byte = reader_quoted_pair(reader);
        if (byte != '\r' && byte != '\n')
            reader->text[reader->text_len++] = byte;
    }
}

/* Literals are read in names too: `[a, b@y] <c@z>` shows one recipient, not two. */
static void reader_add_literal(struct reader *reader)
{
    reader_add_byte(reader, '[');
    while (reader->next < reader->end) {
        char byte = *reader->next++;
        bool is_end = byte == ']';

        if (byte == '\\')
            byte = reader_quoted_pair(reader);
        if (!is_blank(byte))
            reader->text[reader->text_len++] = byte;
        if (is_end)
            return;
    }
}

/* RFC 5322 4.4: obs-route is `@a,@b:`, with empty list members allowed. */
static bool reader_comma(struct reader *reader)
{
    if (reader->angle && (reader->route || reader->text_len == 0)) {
        reader_clear(reader);
        return true;
    }
    if (reader->angle && reader->at == NO_AT) {
        /* `<doe,joe@x>` must not be taken for joe@x. */
        reader_add_byte(reader, ',');
        return true;
    }
    /* `<a@x, b@y`: the bracket was never closed. */
    return reader_end_member(reader);
}

static void reader_colon(struct reader *reader)
{
    if (reader->angle && !reader->route) {
        reader_add_byte(reader, ':');
        return;
    }
    /* What came before is a route, or the name of a group. */
    if (!reader->angle)
        reader->angle_done = false;
    reader_clear(reader);
}

static void reader_open_angle(struct reader *reader)
{
    reader_clear(reader);
    reader->angle = true;
}

static bool reader_close_angle(struct reader *reader)
{
    bool go_on = true;

    if (reader->angle) {
        go_on = reader_give(reader);
        reader->angle = false;
        reader->angle_done = true;
    }
    reader->gap = true;
    return go_on;
}

static void reader_backslash(struct reader *reader)
{
    char byte = reader_quoted_pair(reader);

    if (byte == '\r' || byte == '\n')
        reader->gap = true;
    else
        reader_add_byte(reader, byte);
}

static bool reader_step(struct reader *reader)
{
    char byte = *reader->next++;

    switch (byte) {
    case ' ':
    case '\t':
    case '\r':
    case '\n':
    case ')':
        reader->gap = true;
        return true;
    case '(':
        reader_skip_comment(reader);
        return true;
    case '"':
        reader_add_quoted_string(reader);
        return true;
    case '[':
        reader_add_literal(reader);
        return true;
    case '\\':
        reader_backslash(reader);
        return true;
    case '.':
    case '@':
        reader_add_joint(reader, byte);
        return true;
    case '<':
        reader_open_angle(reader);
        return true;
    case '>':
        return reader_close_angle(reader);
    case ',':
        return reader_comma(reader);
    case ':':
        reader_colon(reader);
        return true;
    case ';': /* the end of a group, and what some clients write for a comma */
        return reader_end_member(reader);
    default:
        reader_add_byte(reader, byte);
        return true;
    }
}

bool address_read(const char *value, size_t value_len,
                  bool (*found)(void *arg, const char *addr, size_t addr_len), void *arg)
{
    struct reader reader = {.next = value, .at = NO_AT, .found = found, .arg = arg};
    bool go_on = true;

    if (value_len == 0)
        return true;
    if (value_len == SIZE_MAX || (reader.text = malloc(value_len + 1)) == NULL)
        return false;
    reader.end = value + value_len;
    while (go_on && reader.next < reader.end)
        go_on = reader_step(&reader);
    if (go_on)
        go_on = reader_end_member(&reader);
    free(reader.text);
    return go_on;
}
