/*
 * conf - read a configuration file in sh syntax, without executing it
 *
 * The grammar is the assignments of POSIX sh (XCU 2.2 quoting, 2.9.1 simple commands) and the array
 * element of bash. Where sh would expand, run or redirect, this reader reports an error.
 */
#include "lib/conf.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { INDEX_MAX = 9999 }; /* of NAME[n]; whether n makes sense is the caller's question */

/* Where the reader stands, and what it has found. */
struct reader {
    const char *text;
    size_t len;
    size_t pos;
    unsigned line;
    const char *file;
    struct diag *diag;
    struct conf *conf;
    bool no_memory;
};

/* A value while it grows. */
struct value {
    char *bytes;
    size_t len;
    size_t size;
};

static bool at_end(const struct reader *r)
{
    return r->pos >= r->len;
}

static char peek(const struct reader *r)
{
    return at_end(r) ? '\0' : r->text[r->pos];
}

static char peek_second(const struct reader *r)
{
    return r->pos + 1 < r->len ? r->text[r->pos + 1] : '\0';
}

static char take(struct reader *r)
{
    char c = r->text[r->pos++];

    if (c == '\n')
        r->line++;
    return c;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_name_start(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void report(struct reader *r, unsigned line, const char *what)
{
    diag_error(r->diag, r->file, line, "%s", what);
}

static void skip_line(struct reader *r)
{
    while (!at_end(r) && peek(r) != '\n')
        take(r);
}

static void value_add(struct reader *r, struct value *value, char c)
{
    if (value->len + 1 >= value->size) {
        size_t size = value->size > 0 ? value->size * 2 : 64;
        char *bytes = realloc(value->bytes, size);

        if (bytes == NULL) {
            r->no_memory = true;
            return;
        }
        value->bytes = bytes;
        value->size = size;
    }
    value->bytes[value->len++] = c;
    value->bytes[value->len] = '\0';
}

/* What is wrong with c outside single quotes, NULL where nothing is. */
static const char *forbidden(char c)
{
    switch (c) {
    case '$':
        return "\"$\" is not expanded in this file; write the value itself, or '$' in single "
               "quotes";
    case '`':
        return "\"`\" would run a command, which this file cannot do";
    case '\r':
        return "a carriage return; save the file with Unix line ends";
    default:
        return NULL;
    }
}

static const char *forbidden_unquoted(char c)
{
    if (strchr(";&|<>()", c) != NULL)
        return "only assignments NAME=value may stand here; quote the value if this character "
               "belongs to it: ; & | < > ( )";
    return forbidden(c);
}

static bool read_single_quoted(struct reader *r, struct value *value)
{
    unsigned line = r->line;

    take(r);
    while (!at_end(r)) {
        char c = take(r);

        if (c == '\'')
            return true;
        value_add(r, value, c);
    }
    report(r, line, "the single quote ' is not closed");
    return false;
}

static bool read_double_quoted(struct reader *r, struct value *value)
{
    unsigned line = r->line;

    take(r);
    while (!at_end(r)) {
        char c = take(r);

        if (c == '"')
            return true;
        if (c == '\\' && !at_end(r) && strchr("$`\"\\\n", peek(r)) != NULL) {
            c = take(r);
            if (c == '\n')
                continue;
        } else if (forbidden(c) != NULL) {
            report(r, r->line, forbidden(c));
        }
        value_add(r, value, c);
    }
    report(r, line, "the double quote \" is not closed");
    return false;
}

/* A backslash outside quotes. Returns false at the end of the file. */
static bool read_escaped(struct reader *r, struct value *value)
{
    take(r);
    if (at_end(r)) {
        report(r, r->line, "the file ends after a backslash");
        return false;
    }
    char c = take(r);

    if (c == '\r')
        report(r, r->line, forbidden(c));
    else if (c != '\n')
        value_add(r, value, c);
    return true;
}

/* sh expands an unquoted ~ at the start of a value and after each colon. */
static bool is_tilde_expansion(char c, const struct value *value)
{
    return c == '~' && (value->len == 0 || value->bytes[value->len - 1] == ':');
}

/* Read the word after `=`. Returns false where the reader cannot go on in this line. */
static bool read_value(struct reader *r, struct value *value)
{
    while (!at_end(r)) {
        char c = peek(r);
        bool go_on = true;

        if (is_blank(c) || c == '\n')
            return true;
        if (c == '\'') {
            go_on = read_single_quoted(r, value);
        } else if (c == '"') {
            go_on = read_double_quoted(r, value);
        } else if (c == '\\') {
            go_on = read_escaped(r, value);
        } else if (is_tilde_expansion(c, value)) {
            report(r, r->line, "\"~\" is not expanded in this file; write the whole path");
            return false;
        } else if (forbidden_unquoted(c) != NULL) {
            report(r, r->line, forbidden_unquoted(c));
            return false;
        } else {
            value_add(r, value, take(r));
        }
        if (!go_on)
            return false;
    }
    return true;
}

/* Read `[n]` where it is there. Returns false after a report. */
static bool read_index(struct reader *r, int *index_r)
{
    int index = 0;
    size_t digits = 0;
    bool leading_zero = false;

    if (peek(r) != '[') {
        *index_r = -1;
        return true;
    }
    take(r);
    for (; is_digit(peek(r)) && index <= INDEX_MAX; digits++) {
        leading_zero = leading_zero || (digits > 0 && index == 0);
        index = index * 10 + (take(r) - '0');
    }
    if (digits == 0 || leading_zero || index > INDEX_MAX || peek(r) != ']') {
        report(r, r->line, "NAME[n]= needs a plain number n, such as NICE_LEVEL[4]=-2");
        return false;
    }
    take(r);
    *index_r = index;
    return true;
}

static void add_entry(struct reader *r, const char *name, size_t name_len, int index,
                      struct value *value, unsigned line)
{
    struct conf *conf = r->conf;
    struct conf_entry *entries = realloc(conf->entries, (conf->count + 1) * sizeof *entries);
    char *name_copy = strndup(name, name_len);
    char *value_copy = value->bytes != NULL ? value->bytes : strdup("");

    value->bytes = NULL;
    if (entries != NULL)
        conf->entries = entries;
    if (entries == NULL || name_copy == NULL || value_copy == NULL) {
        free(name_copy);
        free(value_copy);
        r->no_memory = true;
        return;
    }
    conf->entries[conf->count++] =
        (struct conf_entry){.name = name_copy, .index = index, .value = value_copy, .line = line};
}

/* Say what is wrong with a word that is no assignment; name is what was read of it. */
static void report_word(struct reader *r, const char *name, size_t name_len)
{
    if (forbidden(peek(r)) != NULL)
        report(r, r->line, forbidden(peek(r)));
    else if (peek(r) == '+' && peek_second(r) == '=')
        report(r, r->line, "NAME+=value is not understood; write the whole value");
    else if (name_len == 6 && memcmp(name, "export", 6) == 0)
        report(r, r->line, "\"export\" is not understood; write NAME=value alone");
    else if (name_len > 0 && is_blank(peek(r)))
        report(r, r->line,
               "only assignments NAME=value may stand here, without blanks before \"=\"");
    else
        report(r, r->line, "only assignments NAME=value and comments may stand here");
}

/* Read one assignment. After a report the rest of the line is skipped. */
static void read_assignment(struct reader *r)
{
    const char *name = r->text + r->pos;
    size_t start = r->pos;
    unsigned line = r->line;
    unsigned errors_before = r->diag->errors;
    struct value value = {0};
    int index;

    if (is_name_start(peek(r)))
        while (is_name_start(peek(r)) || is_digit(peek(r)))
            take(r);

    size_t name_len = r->pos - start;

    if (name_len > 0 && !read_index(r, &index)) {
        skip_line(r);
        return;
    }
    if (name_len == 0 || peek(r) != '=') {
        report_word(r, name, name_len);
        skip_line(r);
        return;
    }
    take(r);
    if (!read_value(r, &value))
        skip_line(r);
    else if (!r->no_memory && r->diag->errors == errors_before)
        add_entry(r, name, name_len, index, &value, line);
    free(value.bytes);
}

/* Refused at once, in comments too, so that the reader need not think of them. */
static bool refuse_nul_bytes(struct reader *r)
{
    const char *nul = r->len == 0 ? NULL : memchr(r->text, '\0', r->len);
    unsigned line = 1;

    if (nul == NULL)
        return false;
    for (const char *p = r->text; p < nul; p++)
        line += *p == '\n';
    report(r, line, "a NUL byte; this is no text file");
    return true;
}

static void read_all(struct reader *r)
{
    while (!at_end(r) && !r->no_memory) {
        char c = peek(r);

        if (is_blank(c) || c == '\n') {
            take(r);
        } else if (c == '\\' && peek_second(r) == '\n') {
            take(r);
            take(r);
        } else if (c == '#') {
            skip_line(r); /* sh too ends a comment at the newline, backslash or not */
        } else {
            read_assignment(r);
        }
    }
}

struct conf *conf_parse(const char *text, size_t text_len, const char *file, struct diag *diag)
{
    struct reader r = {.text = text, .len = text_len, .line = 1, .file = file, .diag = diag};

    r.conf = calloc(1, sizeof *r.conf);
    if (r.conf == NULL)
        return NULL;
    if (!refuse_nul_bytes(&r))
        read_all(&r);
    if (r.no_memory) {
        report(&r, 0, "out of memory");
        conf_free(&r.conf);
    }
    return r.conf;
}

void conf_free(struct conf **conf)
{
    if (*conf == NULL)
        return;
    for (size_t i = 0; i < (*conf)->count; i++) {
        free((*conf)->entries[i].name);
        free((*conf)->entries[i].value);
    }
    free((*conf)->entries);
    free(*conf);
    *conf = NULL;
}
