/* routing_key - the spelling in which Postfix asks for a recipient's transport */
#include "table/routing_key.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *routing_key_domain(const char *address)
{
    const char *at = strrchr(address, '@');

    return at != NULL ? at + 1 : address + strlen(address);
}

char *routing_key_internal(const char *external)
{
    size_t len = strlen(external);
    char *internal = malloc(len + 1);
    const char *end = external; /* of the local part */
    char *out = internal;
    bool quoted = false;

    if (internal == NULL)
        return NULL;
    for (const char *in = external; *in != '\0'; in++) { /* the last @ that is not quoted */
        if (*in == '\\' && in[1] != '\0')
            in++;
        else if (*in == '"')
            quoted = !quoted;
        else if (*in == '@' && !quoted)
            end = in;
    }
    if (end == external)
        end = external + len;
    for (const char *in = external; in < end; in++) {
        if (*in == '\\' && in + 1 < end)
            *out++ = *++in;
        else if (*in != '"')
            *out++ = *in;
    }
    memcpy(out, end, (size_t)(external + len - end) + 1);
    return internal;
}

static bool is_ascii(char c)
{
    return (unsigned char)c < 0x80;
}

static size_t other_len(const char *text)
{
    size_t len = 0;

    while (text[len] != '\0' && !is_ascii(text[len]))
        len++;
    return len;
}

/*
 * How many bytes of text say the same as folded (folded_len bytes) but for the case of letters; 0
 * where they say something else. Of characters beyond ASCII only the places must agree, since
 * folding may change them in many ways.
 */
static size_t same_len(const char *text, const char *folded, size_t folded_len)
{
    const char *at = text, *end = folded + folded_len;

    while (folded < end) {
        if (*at == '\0')
            return 0;
        if (!is_ascii(*at) && !is_ascii(*folded)) {
            at += other_len(at);
            folded += other_len(folded);
        } else if (strncasecmp(at++, folded++, 1) != 0) {
            return 0;
        }
    }
    return (size_t)(at - text);
}

/* Append folded to *out in the case in which it stands last in given, if it does. */
static void append_recased(char **out, const char *given, const char *folded, size_t folded_len)
{
    const char *source = folded;
    size_t len = folded_len;

    for (size_t n = strlen(given); n-- > 0;) {
        size_t same = same_len(given + n, folded, folded_len);

        if (same > 0) {
            source = given + n;
            len = same;
            break;
        }
    }
    memcpy(*out, source, len);
    *out += len;
}

char *routing_key_recase(const char *given, const char *resolved)
{
    size_t len = strlen(resolved);
    const char *domain = routing_key_domain(resolved);
    char *result = malloc(strlen(given) * 2 + len + 1); /* each part is no longer than its source */
    char *out = result;

    if (result == NULL)
        return NULL;
    append_recased(&out, given, resolved, len);
    if (out == result + len && memcmp(result, resolved, len) == 0 && *domain != '\0') {
        out = result; /* not there as a whole, or all in small letters: the parts are the same */
        append_recased(&out, given, resolved, (size_t)(domain - 1 - resolved));
        *out++ = '@';
        append_recased(&out, given, domain, strlen(domain));
    }
    *out = '\0';
    return result;
}

/* RFC 822 atoms separated by dots, as Postfix sees them: 8-bit bytes are atoms, too. */
static bool is_dot_string(const char *local, size_t len)
{
    if (len == 0 || local[0] == '.' || local[len - 1] == '.')
        return false;
    for (size_t n = 0; n < len; n++) {
        unsigned char c = (unsigned char)local[n];

        if (c <= ' ' || c == 0x7f || strchr("()<>@,;:\\\"[]", c) != NULL ||
            (c == '.' && local[n + 1] == '.'))
            return false;
    }
    return true;
}

char *routing_key_format(const char *internal)
{
    size_t len = strlen(internal);
    const char *at = strrchr(internal, '@');
    size_t local_len = at != NULL ? (size_t)(at - internal) : len;
    char *key = malloc(2 * len + 3);
    char *out = key;

    if (key == NULL)
        return NULL;
    if (is_dot_string(internal, local_len))
        return memcpy(key, internal, len + 1);
    *out++ = '"';
    for (size_t n = 0; n < local_len; n++) {
        if (internal[n] == '"' || internal[n] == '\\' || internal[n] == '\r')
            *out++ = '\\';
        *out++ = internal[n];
    }
    *out++ = '"';
    memcpy(out, internal + local_len, len - local_len + 1);
    return key;
}
