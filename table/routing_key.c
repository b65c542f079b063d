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

static bool is_ascii(const char *text)
{
    while (*text != '\0')
        if ((unsigned char)*text++ > 127)
            return false;
    return true;
}

/*
 * Whether Postfix leaves an address as it is (src/trivial-rewrite/rewrite.c): it has a domain, with
 * a dot in it but not at its end, or an address literal.
 */
static bool is_complete(const char *address)
{
    const char *domain = routing_key_domain(address);
    const char *dot = strchr(domain, '.');

    return domain > address + 1 &&
           (*domain == '[' || (dot != NULL && domain[strlen(domain) - 1] != '.'));
}

static void reverse(char *from, char *to)
{
    while (from < --to) {
        char c = *from;

        *from++ = *to;
        *to = c;
    }
}

/* `user%domain` is user@domain, and `site!user` is user@site, where there is no @. */
static void turn_round(char *address)
{
    char *end = address + strlen(address);
    char *percent = strrchr(address, '%');
    char *bang = strchr(address, '!');

    if (strchr(address, '@') != NULL)
        return;
    if (percent != NULL) {
        *percent = '@';
    } else if (bang != NULL) { /* each part reversed, then all of it: the parts change places */
        *bang = '@';
        reverse(address, bang);
        reverse(bang + 1, end);
        reverse(address, end);
    }
}

/*
 * Whether address, len bytes, says the same as the beginning of folded but for the case of letters.
 * Postfix may have put something else in the place of a control character, which is then taken
 * over.
 */
static bool agree(char *address, const char *folded, size_t len)
{
    if (strlen(folded) < len)
        return false;
    for (size_t n = 0; n < len; n++) {
        if ((unsigned char)address[n] < ' ')
            address[n] = folded[n];
        if (strncasecmp(address + n, folded + n, 1) != 0)
            return false;
    }
    return true;
}

/* What Postfix may have made of address, which has room for folded behind it. */
static bool complete(char *address, const char *folded, enum routing_key_source *source_r)
{
    size_t len = strlen(address);

    turn_round(address);
    if (len > 0 && address[len - 1] == '.')
        address[--len] = '\0';
    if (len == 0 || !agree(address, folded, len))
        return false;
    if (folded[len] == '\0') {
        *source_r = ROUTING_KEY_EXACT;
        return true;
    }
    strcpy(address + len, folded + len); /* $myorigin or $mydomain */
    *source_r = ROUTING_KEY_MAILBOX;
    return *folded != '\0' && (folded[len] == '@' || folded[len] == '.');
}

char *routing_key_resolve(const char *given, const char *folded, enum routing_key_source *source_r)
{
    char *address = malloc(strlen(given) + strlen(folded) + 1);
    char *domain;

    if (address == NULL)
        return NULL;
    strcpy(address, given);
    if (!is_ascii(given) && is_complete(given)) {
        *source_r = ROUTING_KEY_EXACT;
        return address;
    }
    if (complete(address, folded, source_r))
        return address;
    strcpy(address, given);
    domain = strrchr(address, '@');
    /*
     * Where it is empty, or an address of this host, what stands before it counts. Where it is one
     * of this host's own domains that goes for smtpd, but not for the queue manager's resolver,
     * which knows of none.
     */
    if (domain != NULL && (domain[1] == '\0' || domain[1] == '[')) {
        bool empty = domain[1] == '\0';

        *domain = '\0';
        if (complete(address, folded, source_r) && (empty || *source_r == ROUTING_KEY_EXACT))
            return address;
    }
    strcpy(address, folded);
    *source_r = ROUTING_KEY_GUESS;
    return address;
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
