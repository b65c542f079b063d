/* protocol - the request and reply lines of Postfix's tcp_table(5), as values */
#include "tcpmap/protocol.h"

#include <stdint.h>
#include <string.h>

enum { PREFIX_LEN = 4 }; /* "get ", "put ", "200 " */

/* hex_quote.c: all but printable ASCII, the blank and % itself; no locale has a say in it. */
static bool is_plain(char c)
{
    return c > ' ' && c < 0x7f && c != '%';
}

/* The value of a hex digit in any case, or -1. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Returns NULL where text is a well-formed parameter, else what is wrong with it. */
static const char *parameter_fault(const char *text, size_t len)
{
    if (len == 0)
        return "empty parameter";
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '%') {
            if (len - i < 3 || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0)
                return "% without two hex digits";
            if (text[i + 1] == '0' && text[i + 2] == '0')
                return "%00 in a parameter";
            i += 2;
        } else if (!is_plain(text[i])) {
            return "a character that must be encoded";
        }
    }
    return NULL;
}

/* Decode a parameter without fault; raw_r has room for len bytes. Returns how many it wrote. */
static size_t unquote(const char *text, size_t len, char *raw_r)
{
    size_t raw_len = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '%') {
            raw_r[raw_len++] = (char)(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
            i += 2;
        } else {
            raw_r[raw_len++] = text[i];
        }
    }
    return raw_len;
}

/* As protocol_request_parse(), with the reason returned; NULL is success. */
static const char *parse(const char *line, size_t line_len, struct protocol_request *request_r)
{
    enum protocol_verb verb;
    const char *key = line + PREFIX_LEN;
    const char *fault;
    size_t key_len;

    if (line_len >= PROTOCOL_LINE_MAX)
        return "line too long";
    if (line_len < PREFIX_LEN)
        return "unknown request";
    if (memcmp(line, "get ", PREFIX_LEN) == 0)
        verb = PROTOCOL_GET;
    else if (memcmp(line, "put ", PREFIX_LEN) == 0)
        verb = PROTOCOL_PUT;
    else
        return "unknown request";
    key_len = line_len - PREFIX_LEN;
    if (verb == PROTOCOL_PUT) {
        const char *blank = memchr(key, ' ', key_len);

        if (blank == NULL)
            return "put without value";
        fault = parameter_fault(blank + 1, (size_t)(line + line_len - (blank + 1)));
        if (fault != NULL)
            return fault;
        key_len = (size_t)(blank - key);
    }
    fault = parameter_fault(key, key_len);
    if (fault != NULL)
        return fault;
    request_r->verb = verb;
    request_r->key_len = unquote(key, key_len, request_r->key);
    return NULL;
}

bool protocol_request_parse(const char *line, size_t line_len, struct protocol_request *request_r,
                            const char **why_r)
{
    const char *why = parse(line, line_len, request_r);

    if (why != NULL)
        *why_r = why;
    return why == NULL;
}

size_t protocol_reply_format(enum protocol_code code, const char *text, size_t text_len,
                             char reply_r[PROTOCOL_LINE_MAX])
{
    static const char hex[] = "0123456789ABCDEF";
    size_t reply_len = PREFIX_LEN + 1;
    char *p = reply_r;

    for (size_t i = 0; i < text_len && reply_len <= PROTOCOL_LINE_MAX; i++)
        reply_len += is_plain(text[i]) ? 1 : 3;
    if (reply_len > PROTOCOL_LINE_MAX)
        return 0;
    *p++ = (char)('0' + code / 100);
    *p++ = '0';
    *p++ = '0';
    *p++ = ' ';
    for (size_t i = 0; i < text_len; i++) {
        if (is_plain(text[i])) {
            *p++ = text[i];
        } else {
            *p++ = '%';
            *p++ = hex[(uint8_t)text[i] >> 4];
            *p++ = hex[(uint8_t)text[i] & 0xf];
        }
    }
    *p = '\n';
    return reply_len;
}
