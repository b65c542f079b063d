/* fields - header fields and MIME parts of a message in memory */
#include "bounce/fields.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

bool cursor_line(struct cursor *cursor, const char **line_r, size_t *len_r)
{
    size_t left = (size_t)(cursor->end - cursor->at);
    const char *newline;
    size_t len;

    if (left == 0)
        return false;
    newline = memchr(cursor->at, '\n', left);
    len = newline != NULL ? (size_t)(newline - cursor->at) : left;
    *line_r = cursor->at;
    cursor->at += len + (newline != NULL ? 1 : 0);
    *len_r = len > 0 && (*line_r)[len - 1] == '\r' ? len - 1 : len;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Add a line to a value, without blanks around it, a blank before it where there is one already. */
static void add_line(struct field *field, const char *line, size_t len)
{
    size_t used = strlen(field->value);

    while (len > 0 && is_blank(line[len - 1]))
        len--;
    for (; len > 0 && is_blank(*line); len--)
        line++;
    if (used > 0 && len > 0 && used + 1 < FIELD_VALUE_SIZE)
        field->value[used++] = ' ';
    for (; len > 0 && used + 1 < FIELD_VALUE_SIZE; len--, line++)
        field->value[used++] = (unsigned char)*line < ' ' || *line == 0x7f ? '?' : *line;
    field->value[used] = '\0';
}

bool field_next(struct cursor *cursor, struct field *field_r)
{
    const char *line;
    const char *colon;
    size_t len;

    if (!cursor_line(cursor, &line, &len) || len == 0)
        return false;
    colon = memchr(line, ':', len);
    field_r->name = line;
    field_r->name_len = colon != NULL ? (size_t)(colon - line) : 0;
    field_r->value[0] = '\0';
    if (colon != NULL)
        add_line(field_r, colon + 1, len - field_r->name_len - 1);
    while (cursor->at < cursor->end && is_blank(*cursor->at) && cursor_line(cursor, &line, &len))
        add_line(field_r, line, len);
    return true;
}

bool field_is(const struct field *field, const char *name)
{
    return strlen(name) == field->name_len && strncasecmp(name, field->name, field->name_len) == 0;
}

bool fields_boundary(const char *content_type, char boundary_r[BOUNDARY_SIZE])
{
    static const char name[] = "boundary=";
    const char *value = strcasestr(content_type, name);
    size_t len;

    if (value == NULL)
        return false;
    value += strlen(name);
    len = *value == '"' ? strcspn(++value, "\"") : strcspn(value, "; ");
    if (len == 0 || len >= BOUNDARY_SIZE)
        return false;
    snprintf(boundary_r, BOUNDARY_SIZE, "%.*s", (int)len, value);
    return true;
}

/* Whether a line is `--boundary`, or `--boundary--`, which is the last. */
static bool is_delimiter(const char *line, size_t len, const char *boundary, bool *last_r)
{
    size_t boundary_len = strlen(boundary);

    if (len < boundary_len + 2 || memcmp(line, "--", 2) != 0 ||
        memcmp(line + 2, boundary, boundary_len) != 0)
        return false;
    line += boundary_len + 2;
    len -= boundary_len + 2;
    *last_r = len >= 2 && memcmp(line, "--", 2) == 0;
    while (len > 0 && is_blank(line[len - 1]))
        len--;
    return len == 0 || (*last_r && len == 2);
}

/* Go behind the next delimiter; *before_r is where it begins. False where there is none, or it is
 * the last. */
static bool skip_to_delimiter(struct cursor *body, const char *boundary, const char **before_r)
{
    const char *line;
    size_t len;
    bool last = false;

    *before_r = body->at;
    while (cursor_line(body, &line, &len)) {
        if (is_delimiter(line, len, boundary, &last))
            return !last;
        *before_r = body->at;
    }
    return false;
}

bool cursor_part(struct cursor *body, const char *boundary, struct cursor *part_r)
{
    const char *before;
    struct cursor rest;

    if (!skip_to_delimiter(body, boundary, &before))
        return false;
    rest = *body;
    part_r->at = body->at;
    (void)skip_to_delimiter(&rest, boundary, &part_r->end);
    body->at = part_r->end;
    return true;
}
