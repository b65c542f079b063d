/* routing_key - the spelling in which Postfix asks for a recipient's transport */
#include "table/routing_key.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

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
