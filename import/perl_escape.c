/* perl_escape - escapes and classes in a Perl regular expression (perlrebackslash(1)) */
#include <ctype.h>
#include <string.h>

#include "import/perl_pattern_internal.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The escape as it stands, *len bytes of it with the backslash. */
static bool copy(struct perl_scan *scan, size_t len)
{
    fwrite(scan->at, 1, len, scan->out);
    scan->at += len;
    return true;
}

/* A backslash before what is no word character: that character. */
static bool write_literal(struct perl_scan *scan)
{
    unsigned char c = (unsigned char)*scan->at;

    if (!perl_is_word((char)c) && c >= ' ' && c != 127 && c != '/')
        fputc('\\', scan->out);
    if (c != '$' && c != '@')
        return perl_scan_plain(scan);
    fputc(c, scan->out);
    scan->at++;
    return true;
}

/*
 * When Perl looks for variables and \Q it knows less of a pattern than later: it takes a # for the
 * begin of a comment under flag x and behind `(?`, where it sees no class around it.
 */
static bool check_hash(struct perl_scan *scan)
{
    const char *at = scan->at;

    if (*at != '#' || !scan->pattern->interpolates ||
        !(scan->outer_spaced || (at - scan->pattern->text >= 2 && at[-1] == '?' && at[-2] == '(')))
        return true;
    return perl_scan_refuse(scan, "Perl may take the # here for a comment; write \\x23 for it");
}

/* Text between \Q and \E, each character of which Perl escapes before it reads the pattern. */
static bool read_quoted(struct perl_scan *scan)
{
    scan->at += 2;
    while (scan->at < scan->end) {
        char next = perl_scan_peek(scan, 1);

        if (*scan->at != '\\' || next == '\0') {
            if (perl_quote_is_variable(scan->at, scan->end, true))
                return perl_scan_plain(scan); /* says so */
            if (!check_hash(scan) || !write_literal(scan))
                return false;
            continue;
        }
        if (next == 'E') {
            scan->at += 2;
            return true;
        }
        if (strchr("lLuUFQN", next) != NULL)
            return perl_scan_refuse(scan,
                                    "\\%c within \\Q is not read; write the text that is "
                                    "meant",
                                    next);
        fputs("\\\\", scan->out);
        scan->at++;
        if (!write_literal(scan))
            return false;
    }
    return true;
}

/*
 * \1 to \9 refer to groups; three octal digits are a byte, if there are not that many groups; what
 * lies between depends on the groups there are.
 */
static bool read_number(struct perl_scan *scan, bool in_class)
{
    size_t octal = 0;
    const char *at = scan->at + 1;
    bool zero = *at == '0';
    unsigned char byte;

    while (octal < 3 && perl_scan_peek(scan, octal + 1) >= '0' &&
           perl_scan_peek(scan, octal + 1) <= '7')
        octal++;
    if (!zero && !in_class && !is_digit(perl_scan_peek(scan, 2))) {
        scan->refers = true;
        return copy(scan, 2);
    }
    if (octal > 0 && (zero || in_class || octal == 3) &&
        perl_quote_byte(&at, scan->end, &byte) == 1) {
        scan->octal = scan->octal || !(zero || in_class);
        fprintf(scan->out, "\\x%02x", byte);
        scan->at = at;
        return true;
    }
    return perl_scan_refuse(
        scan,
        "\\%.*s may be a group or a byte; write \\g{1} for a group, \\x41 for a "
        "byte",
        1 + is_digit(perl_scan_peek(scan, 2)), scan->at + 1);
}

/* \g1 \g-1 \g{1} \g{-1} \g{name} \k<name> \k'name' \k{name} */
static bool read_reference(struct perl_scan *scan)
{
    char open = perl_scan_peek(scan, 2), close = '\0';
    size_t len = 2, content;

    if (open == '{')
        close = '}';
    else if (scan->at[1] == 'k' && open == '<')
        close = '>';
    else if (scan->at[1] == 'k' && open == '\'')
        close = '\'';
    len += close != '\0';
    len += scan->at[1] == 'g' && perl_scan_peek(scan, len) == '-';
    content = len;
    while (close != '\0' ? perl_is_word(perl_scan_peek(scan, len))
                         : is_digit(perl_scan_peek(scan, len)))
        len++;
    if (len == content || (close != '\0' && perl_scan_peek(scan, len) != close) ||
        (scan->at[1] == 'k' && close == '\0'))
        return perl_scan_refuse(scan, "\\%c needs a group, as in \\g{1} or \\k<name>", scan->at[1]);
    scan->refers = true;
    return copy(scan, len + (close != '\0'));
}

static bool read_byte(struct perl_scan *scan)
{
    const char *at = scan->at + 1;
    unsigned char byte;

    if (perl_quote_byte(&at, scan->end, &byte) != 1)
        return perl_scan_refuse(scan, "\\%c is not the number of a byte here; write it as in \\x41",
                                scan->at[1]);
    fprintf(scan->out, "\\x%02x", byte);
    scan->at = at;
    return true;
}

/* Why a letter is not taken behind a backslash. */
static bool refuse_letter(struct perl_scan *scan, char letter, bool in_class)
{
    if (strchr("pPXC", letter) != NULL)
        return perl_scan_refuse(scan,
                                "\\%c is for Unicode characters, and headers are bytes; write "
                                "a class as in [A-Za-z]",
                                letter);
    if (strchr("lLuUFQE", letter) != NULL)
        return perl_scan_refuse(scan, "\\%c is not understood; write the text that is meant",
                                letter);
    if (letter == 'G')
        return perl_scan_refuse(scan, "\\G is for repeated matches; write \\A for the beginning");
    if (letter == 'N')
        return perl_scan_refuse(scan, "\\N with a character's name makes the pattern Unicode, and "
                                      "headers are bytes; write the bytes, as in \\xC3\\xA9");
    if (strchr("bB", letter) != NULL && !in_class)
        return perl_scan_refuse(scan, "\\%c{..} is for Unicode text; write \\%c", letter, letter);
    return perl_scan_refuse(scan, "\\%c means nothing to Perl%s; write %c for the letter", letter,
                            in_class ? " in [..]" : "", letter);
}

/* \N{3} is a quantifier. */
static bool is_name(const struct perl_scan *scan)
{
    size_t ahead = 3;

    if (perl_scan_peek(scan, 2) != '{')
        return false;
    while (is_digit(perl_scan_peek(scan, ahead)) || perl_scan_peek(scan, ahead) == ',')
        ahead++;
    return ahead == 3 || perl_scan_peek(scan, ahead) != '}';
}

static bool read_letter(struct perl_scan *scan, char letter, bool in_class)
{
    if (scan->pattern->interpolates && letter == 'Q')
        return read_quoted(scan);
    if (scan->pattern->interpolates && letter == 'E') { /* of a \Q that is not there */
        scan->at += 2;
        return true;
    }
    if (strchr("xoc", letter) != NULL)
        return read_byte(scan);
    if (strchr("dDwWsShHvVnrtfea", letter) != NULL || (in_class && letter == 'b'))
        return copy(scan, 2);
    if (in_class)
        return refuse_letter(scan, letter, in_class);
    if (strchr("gk", letter) != NULL)
        return read_reference(scan);
    if (strchr("AZzRK", letter) != NULL ||
        (strchr("bB", letter) != NULL && perl_scan_peek(scan, 2) != '{') ||
        (letter == 'N' && !is_name(scan)))
        return copy(scan, 2);
    return refuse_letter(scan, letter, in_class);
}

bool perl_scan_escape(struct perl_scan *scan, bool in_class)
{
    char c = perl_scan_peek(scan, 1);

    if (scan->at + 1 == scan->end)
        return perl_scan_refuse(scan, "the pattern ends with a backslash; write \\\\ for one");
    if (is_digit(c))
        return read_number(scan, in_class);
    if (isalpha((unsigned char)c))
        return read_letter(scan, c, in_class);
    scan->at++;
    return write_literal(scan);
}

/* [:alpha:] and its kin within a class: its length, 0 where it is none. */
static size_t posix_len(const struct perl_scan *scan)
{
    size_t len = 2;

    if (scan->at[0] != '[' || perl_scan_peek(scan, 1) != ':')
        return 0;
    while (perl_is_word(perl_scan_peek(scan, len)) || perl_scan_peek(scan, len) == '^')
        len++;
    return perl_scan_peek(scan, len) == ':' && perl_scan_peek(scan, len + 1) == ']' ? len + 2 : 0;
}

bool perl_scan_class(struct perl_scan *scan)
{
    bool closed = false; /* as Perl sees it at first */

    copy(scan, perl_scan_peek(scan, 1) == '^' ? 2 : 1);
    if (scan->at < scan->end && strchr(".:=", *scan->at) != NULL)
        fputc('\\', scan->out); /* PCRE2 would take [.x.] for a collating element */
    for (bool first = true; scan->at < scan->end; first = false) {
        size_t posix = posix_len(scan);

        if (*scan->at == ']' && !first)
            return copy(scan, 1);
        if (closed && !check_hash(scan))
            return false;
        closed = closed || *scan->at == ']' || posix > 0 ||
                 (*scan->at == '\\' && memchr("QE", perl_scan_peek(scan, 1), 2) != NULL);
        if (posix > 0)
            copy(scan, posix);
        else if (*scan->at == '\\' ? !perl_scan_escape(scan, true) : !perl_scan_plain(scan))
            return false;
    }
    return perl_scan_refuse(scan, "a [ in the pattern is not closed");
}
