/* perl_quote - Perl's quoting: where a quoted text ends, and what its escapes stand for */
#include "import/perl_quote.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/mem.h"

static char closing(char open)
{
    static const char brackets[] = "()[]{}<>";
    const char *found = strchr(brackets, open);

    return found != NULL && (found - brackets) % 2 == 0 ? found[1] : open;
}

const char *perl_quote_end(const char *at, const char *end, char open)
{
    char close = closing(open);
    size_t depth = 1;

    for (; at < end; at++) {
        if (*at == close && --depth == 0)
            return at;
        if (*at == open)
            depth++;
        else if (*at == '\\' && at + 1 < end)
            at++;
    }
    return NULL;
}

char *perl_quote_strip(const char *text, size_t len, char open, bool keep_brackets, size_t *len_r)
{
    char *out = mem_resize(NULL, len + 1, 1);
    char close = closing(open);
    const char *end = text + len;
    size_t out_len = 0;

    while (text < end) {
        if (*text == '\\' && text + 1 < end) {
            bool delimiter = text[1] == open || text[1] == close;

            if (!delimiter || (open != close && keep_brackets))
                out[out_len++] = *text;
            text++;
        }
        out[out_len++] = *text++;
    }
    out[out_len] = '\0';
    *len_r = out_len;
    return out;
}

bool perl_is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* In a pattern $ is an anchor before these and at the end; in a string it has no place. */
bool perl_quote_is_variable(const char *at, const char *end, bool in_pattern)
{
    char next = '\0';

    if (at + 1 < end)
        next = at[1];
    if (*at == '$')
        return !in_pattern || (next != '\0' && strchr("()| \r\n\t", next) == NULL);
    if (*at == '@' && next != '\0')
        return perl_is_word(next) || strchr(in_pattern ? ":'{$" : ":'{$+-", next) != NULL;
    return false;
}

/* Up to digits_max digits of this base, in braces any number where that is 0. -1: none, too many.
 */
static int read_digits(const char **at, const char *end, unsigned base, int digits_max)
{
    unsigned value = 0;
    int count = 0;

    for (; *at < end && isxdigit((unsigned char)**at); (*at)++, count++) {
        int c = tolower((unsigned char)**at);
        unsigned digit = (unsigned)(isdigit(c) ? c - '0' : c - 'a' + 10);

        if (digit >= base || (digits_max > 0 && count == digits_max))
            break;
        if ((value = value * base + digit) > 255)
            return -1;
    }
    return count > 0 ? (int)value : -1;
}

static int read_braced(const char **at, const char *end, unsigned base)
{
    int value;

    ++*at;
    value = read_digits(at, end, base, 0);
    if (*at == end || **at != '}')
        return -1;
    ++*at;
    return value;
}

static int read_control(const char **at, const char *end)
{
    char c = '\0';

    if (*at < end)
        c = (char)toupper((unsigned char)**at);
    if (c == '\0' || (!isupper((unsigned char)c) && strchr("@[]^_?", c) == NULL))
        return -1;
    ++*at;
    return c ^ 64;
}

int perl_quote_byte(const char **at, const char *end, unsigned char *byte_r)
{
    const char *start = *at;
    bool braced = start + 1 < end && start[1] == '{';
    int value;

    if (start == end)
        return 0;
    if (*start >= '0' && *start <= '7') {
        value = read_digits(at, end, 8, 3);
    } else if (*start == 'x' || (*start == 'o' && braced)) {
        ++*at;
        value = braced ? read_braced(at, end, *start == 'x' ? 16 : 8) : read_digits(at, end, 16, 2);
    } else if (*start == 'c') {
        ++*at;
        value = read_control(at, end);
    } else {
        return 0;
    }
    if (value < 0)
        return -1;
    *byte_r = (unsigned char)value;
    return 1;
}

/* Between single quotes only a backslash itself is escaped. */
static void write_single(FILE *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        i += text[i] == '\\' && i + 1 < len && text[i + 1] == '\\';
        fputc(text[i], out);
    }
}

/* An escape between double quotes, *at behind the backslash. false with a reason. */
static bool write_escape(FILE *out, const char **at, const char *end, char *reason_r)
{
    static const char letters[] = "tnrfbae", bytes[] = "\t\n\r\f\b\a\033";
    unsigned char byte = (unsigned char)**at;
    int result = perl_quote_byte(at, end, &byte);
    const char *letter = memchr(letters, byte, sizeof letters - 1);

    if (result < 0) {
        snprintf(reason_r, PERL_REASON_SIZE,
                 "a string escapes a character that no byte stands for; write the character");
        return false;
    }
    if (result == 0) {
        if (letter == NULL && perl_is_word((char)byte)) {
            snprintf(reason_r, PERL_REASON_SIZE,
                     "\\%c in a string is not understood; write the text that it stands for", byte);
            return false;
        }
        byte = letter != NULL ? (unsigned char)bytes[letter - letters] : byte;
        ++*at;
    }
    fputc(byte, out);
    return true;
}

static bool write_double(FILE *out, const char *text, size_t len, char *reason_r)
{
    const char *end = text + len;

    while (text < end) {
        if (*text == '\\' && text + 1 < end) {
            text++;
            if (!write_escape(out, &text, end, reason_r))
                return false;
            continue;
        }
        if (perl_quote_is_variable(text, end, false)) {
            snprintf(reason_r, PERL_REASON_SIZE,
                     "a string holds a Perl variable; write its value, or \\%c for the character",
                     *text);
            return false;
        }
        fputc(*text++, out);
    }
    return true;
}

char *perl_quote_value(const char *text, size_t len, bool interpolates, size_t *len_r,
                       char reason_r[PERL_REASON_SIZE])
{
    char *value;
    size_t value_len;
    FILE *out = mem_stream(&value, &value_len);
    bool good = true;

    if (interpolates)
        good = write_double(out, text, len, reason_r);
    else
        write_single(out, text, len);
    mem_stream_end(out);
    if (!good) {
        free(value);
        return NULL;
    }
    *len_r = value_len;
    return value;
}
