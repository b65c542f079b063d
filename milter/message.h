/* message - the header fields of a message in a file, as a milter would be given them */
#ifndef PEG_MESSAGE_H
#define PEG_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Call field() for each header field of text (RFC 5322 2.2; lines may end with LF or CRLF), up to
 * the empty line: name and value are NUL-terminated, the value is still folded, and borrowed for
 * the call. Lines that are no header field end the header, as they do in Postfix. text is changed
 * while it is read. Returns false where field() did.
 */
bool message_read_header(char *text, size_t text_len,
                         bool (*field)(void *arg, const char *name, const char *value), void *arg);

#endif
