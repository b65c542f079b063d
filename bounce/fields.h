/*
 * fields - header fields and MIME parts of a message in memory (RFC 5322 2.2, RFC 2046 5.1)
 *
 * Pure. Whatever the bytes are, every call ends and stays within them.
 */
#ifndef PEG_BOUNCE_FIELDS_H
#define PEG_BOUNCE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"

/* What is still to be read. */
struct cursor {
    const char *at;
    const char *end;
};

enum { FIELD_VALUE_SIZE = 4096 };

struct field {
    const char *name; /* in the message; for field_is() */
    size_t name_len;
    char value[FIELD_VALUE_SIZE]; /* unfolded, without control characters, cut where it is long */
};

/* Read a line, which may end in CR LF, LF or nowhere. False at the end. */
bool cursor_line(struct cursor *cursor, const char **line_r, size_t *len_r) PEG_MUST_USE;

/*
 * Read the next field. False behind the last one: the empty line after it is taken, too. A line
 * that is no field is one without a name.
 */
bool field_next(struct cursor *cursor, struct field *field_r) PEG_MUST_USE;

bool field_is(const struct field *field, const char *name) PEG_MUST_USE;

/* The boundary that a Content-Type value names; false where it names none that can be. */
enum { BOUNDARY_SIZE = 256 };
bool fields_boundary(const char *content_type, char boundary_r[BOUNDARY_SIZE]) PEG_MUST_USE;

/* The next part of a multipart body, its header fields included. False behind the last one. */
bool cursor_part(struct cursor *body, const char *boundary, struct cursor *part_r) PEG_MUST_USE;

#endif
