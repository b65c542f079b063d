/* orcpt - the ESMTP parameters of a recipient that takes another's place */
#include "milter/orcpt.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* xtext (RFC 3461 4): printable ASCII but `+` and `=` stands for itself. Returns the new end. */
static char *put_xtext(char *out, char c, bool keep_utf8)
{
    unsigned char byte = (unsigned char)c;

    if (byte <= ' ' || byte == 0x7f || byte == '+' || byte == '=' || (byte > 0x7f && !keep_utf8))
        return out + sprintf(out, "+%02X", (unsigned)byte);
    *out++ = c;
    return out;
}

/* Put a character in UTF-8, as cleanup reads it. */
static char *put_character(char *out, unsigned long character)
{
    static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
    int more = character < 0x80 ? 0 : character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;

    out = put_xtext(out, (char)(leads[more] | (character >> (6 * more))), true);
    while (more-- > 0)
        out = put_xtext(out, (char)(0x80 | ((character >> (6 * more)) & 0x3f)), true);
    return out;
}

/* The character that `\x{HEX}` at text stands for; 0 where it is something else. */
static unsigned long embedded_character(const char *text, size_t *len_r)
{
    unsigned long character;
    char *end;

    if (strncmp(text, "\\x{", 3) != 0 || strspn(text + 3, "0123456789ABCDEFabcdef") == 0)
        return 0;
    character = strtoul(text + 3, &end, 16);
    if (*end != '}' || character > 0x10ffff)
        return 0;
    *len_r = (size_t)(end + 1 - text);
    return character;
}

/* One parameter, param_len bytes. */
static char *put_param(char *out, const char *param, size_t param_len)
{
    static const char utf8[] = "ORCPT=utf-8;";
    const char *end = param + param_len;

    if (param_len < strlen(utf8) || strncasecmp(param, utf8, strlen(utf8)) != 0)
        return (char *)memcpy(out, param, param_len) + param_len;
    memcpy(out, param, strlen(utf8));
    out += strlen(utf8);
    param += strlen(utf8);
    while (param < end) {
        size_t len = 0;
        unsigned long character = embedded_character(param, &len);

        out = character != 0 ? put_character(out, character) : put_xtext(out, *param, true);
        param += character != 0 ? len : 1;
    }
    return out;
}

char *orcpt_params(const char *params, const char *given)
{
    /* No byte becomes more than three. */
    size_t size = 3 * (strlen(params) + strlen(given)) + sizeof " ORCPT=rfc822;";
    char *result = malloc(size);
    char *out = result;
    bool has_orcpt = false;

    if (result == NULL)
        return NULL;
    while (*params != '\0') {
        size_t len = strcspn(params, " ");

        has_orcpt = has_orcpt || strncasecmp(params, "ORCPT=", 6) == 0;
        out = put_param(out, params, len);
        params += len;
        if (*params == ' ')
            *out++ = *params++;
    }
    if (!has_orcpt) {
        out += sprintf(out, "%sORCPT=rfc822;", out > result ? " " : "");
        while (*given != '\0')
            out = put_xtext(out, *given++, false);
    }
    *out = '\0';
    return result;
}
