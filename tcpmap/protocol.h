/*
 * protocol - the request and reply lines of Postfix's tcp_table(5), as values
 *
 * Pure: bytes in, values out. The client on the other side is Postfix src/util/dict_tcp.c, which
 * encodes with src/util/hex_quote.c. What it makes of a reply decides which one is safe: after 200
 * it uses the text; after 500 it takes it that there is no entry, and mail goes another way; after
 * 400, and after anything it cannot read, it disconnects and the message is deferred.
 *
 * Threads: every call may run concurrently.
 */
#ifndef PEG_PROTOCOL_H
#define PEG_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"

/* The longest line, newline included: tcp_table(5) says so for replies, and we for requests. */
enum { PROTOCOL_LINE_MAX = 4096 };

enum protocol_code {
    PROTOCOL_FOUND = 200, /* the text is the data */
    PROTOCOL_RETRY = 400, /* cannot say now; ask again later */
    PROTOCOL_ABSENT = 500 /* no such entry; of a put: rejected */
};

enum protocol_verb { PROTOCOL_GET, PROTOCOL_PUT };

struct protocol_request {
    enum protocol_verb verb;
    size_t key_len;              /* at least 1 */
    char key[PROTOCOL_LINE_MAX]; /* decoded; no NUL in it, and none ends it */
};

/*
 * Read one request, `get SPACE key` or `put SPACE key SPACE value`, from line (line_len bytes,
 * without the newline). The value of a put is checked and dropped: put is in the protocol, but no
 * table of ours takes it. Returns false, with a static text in *why_r and *request_r untouched, for
 * all else: too long, another verb, an empty key, %00, % without two hex digits, and bytes that
 * tcp_table(5) wants encoded and that are not. Answer such a line with PROTOCOL_RETRY: after
 * PROTOCOL_ABSENT the client would take mail another way.
 */
bool protocol_request_parse(const char *line, size_t line_len, struct protocol_request *request_r,
                            const char **why_r) PEG_MUST_USE;

/*
 * Write the reply `code SPACE text NEWLINE` into reply_r, not NUL-terminated, with the %, blanks,
 * and all that is not printable ASCII in text as %XX. Returns its length, newline included; 0, with
 * reply_r untouched, where it would be longer than PROTOCOL_LINE_MAX.
 */
size_t protocol_reply_format(enum protocol_code code, const char *text, size_t text_len,
                             char reply_r[PROTOCOL_LINE_MAX]) PEG_MUST_USE;

#endif
