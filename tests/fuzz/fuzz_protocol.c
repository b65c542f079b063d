/*
 * fuzz_protocol - any bytes as a request line, and as the text of a reply
 *
 * Checks what must hold for every input: a request that is taken has a key within bounds, without
 * NUL; a reply is one line of printable ASCII of at most 4096 bytes; and
 * decoding what was encoded gives the same bytes.
 */
#include "tcpmap/protocol.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void decode(const char *line, size_t len)
{
    struct protocol_request request;
    const char *why = NULL;

    if (!protocol_request_parse(line, len, &request, &why)) {
        check(why != NULL);
        return;
    }
    check(request.key_len > 0 && request.key_len < len);
    check(memchr(request.key, '\0', request.key_len) == NULL);
}

static void encode(const char *text, size_t len)
{
    char line[PROTOCOL_LINE_MAX];
    struct protocol_request request;
    const char *why = NULL;
    size_t line_len = protocol_reply_format(PROTOCOL_FOUND, text, len, line);

    if (line_len == 0) {
        check(len > (PROTOCOL_LINE_MAX - 5) / 3);
        return;
    }
    check(line_len <= PROTOCOL_LINE_MAX && line[line_len - 1] == '\n');
    for (size_t i = 4; i < line_len - 1; i++)
        check(line[i] > ' ' && line[i] < 0x7f);
    memcpy(line, "get ", 4);
    if (len == 0 || memchr(text, '\0', len) != NULL) {
        check(!protocol_request_parse(line, line_len - 1, &request, &why));
        return;
    }
    check(protocol_request_parse(line, line_len - 1, &request, &why));
    check(request.key_len == len && memcmp(request.key, text, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode((const char *)data, size);
    encode((const char *)data, size);
    return 0;
}
