/* perl_pattern - a Perl regular expression as a pattern of the rules file, or why it is none */
#include "import/perl_pattern.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "admin/mem.h"
#include "import/perl_pattern_internal.h"

struct flags {
    bool any_case, spaced, dot_all; /* ours: i, x, s */
    bool lines, plain_groups;       /* m and n, as an inline group */
    bool more_spaced;               /* xx: blanks in classes as well */
};

bool perl_scan_refuse(struct perl_scan *scan, const char *fmt, ...)
{
    va_list args;

    if (scan->reason[0] != '\0')
        return false;
    va_start(args, fmt);
    vsnprintf(scan->reason, PERL_REASON_SIZE, fmt, args);
    va_end(args);
    return false;
}

char perl_scan_peek(const struct perl_scan *scan, size_t ahead)
{
    return ahead < (size_t)(scan->end - scan->at) ? scan->at[ahead] : '\0';
}

bool perl_scan_plain(struct perl_scan *scan)
{
    unsigned char c = (unsigned char)*scan->at;

    if (scan->pattern->interpolates && perl_quote_is_variable(scan->at, scan->end, true))
        return perl_scan_refuse(scan,
                                "the pattern holds a Perl variable; write its value, or \\%c for "
                                "the character",
                                c);
    if (c > 127 && scan->pattern->characters)
        return perl_scan_refuse(scan, "under `use utf8` this pattern is made of characters, and "
                                      "headers are bytes; write the bytes, as in \\xC3\\xA9");
    if (c == '/')
        fputs("\\/", scan->out);
    else if (c == '\n')
        fputs("\\n", scan->out);
    else if (c == '\t')
        fputs("\\t", scan->out);
    else if (c < ' ' || c == 127)
        fprintf(scan->out, "\\x%02x", c);
    else
        fputc(c, scan->out);
    scan->at++;
    return true;
}

static bool is_spaced(const struct perl_scan *scan)
{
    return scan->groups[scan->depth].spaced;
}

/* A comment under flag x becomes a note. Where x is set within the pattern Perl finds out too late.
 */
static bool read_comment(struct perl_scan *scan)
{
    const char *newline = memchr(scan->at, '\n', (size_t)(scan->end - scan->at));
    const char *end = newline != NULL ? newline : scan->end;

    for (const char *at = scan->at; at < end && scan->pattern->interpolates; at++)
        if (!scan->outer_spaced && (*at == '\\' || perl_quote_is_variable(at, scan->end, true)))
            return perl_scan_refuse(scan, "Perl reads variables and escapes in this comment of the "
                                          "pattern; drop it");
    fprintf(scan->notes, "%.*s\n", (int)(end - scan->at - 1), scan->at + 1);
    scan->at = end;
    return true;
}

/* What comes behind comments and, under flag x, blanks. */
static const char *find_next(const struct perl_scan *scan)
{
    const char *at = scan->at;

    while (at < scan->end) {
        char end = '\0';

        if (is_spaced(scan) && *at == '#')
            end = '\n';
        else if (scan->end - at > 3 && memcmp(at, "(?#", 3) == 0)
            end = ')';
        else if (!is_spaced(scan) || !isspace((unsigned char)*at))
            break;
        while (end != '\0' && at < scan->end && *at != end)
            at++;
        at += at < scan->end;
    }
    return at;
}

/* Perl lets blanks stand within `+ ?`, and PCRE2 does not. */
static bool check_suffix(struct perl_scan *scan)
{
    const char *at = find_next(scan);

    if (at > scan->at && at < scan->end && (*at == '?' || *at == '+'))
        return perl_scan_refuse(scan,
                                "a \"%c\" that belongs to the quantifier before it stands "
                                "apart; put them together",
                                *at);
    return true;
}

/* {n}, {n,} and {n,m} are quantifiers everywhere. What looks like one may be one to Perl alone. */
static bool read_brace(struct perl_scan *scan)
{
    size_t len = 1, digits = 0, odd = 0, commas = 0;

    for (char c; (c = perl_scan_peek(scan, len)) != '\0' && strchr("0123456789, \t", c); len++) {
        digits += isdigit((unsigned char)c) != 0;
        odd += c == ' ' || c == '\t' || (c == ',' && digits == 0);
        commas += c == ',';
    }
    if (perl_scan_peek(scan, len) != '}' || digits == 0 || commas > 1)
        return perl_scan_plain(scan);
    if (odd > 0)
        return perl_scan_refuse(
            scan,
            "newer Perl reads \"%.*s\" as a quantifier; write it as in {0,3}, or \\{ for "
            "the brace",
            (int)(len < 16 ? len + 1 : 16), scan->at);
    fwrite(scan->at, 1, len + 1, scan->out);
    scan->at += len + 1;
    return check_suffix(scan);
}

/* Whether what comes repeats what was before. */
static bool is_repeated(const struct perl_scan *scan)
{
    const char *at = find_next(scan);

    return at < scan->end && strchr("*+?{", *at) != NULL;
}

static bool read_close(struct perl_scan *scan)
{
    struct perl_group closed = scan->groups[scan->depth];
    bool repeated;

    if (scan->depth == 0)
        return perl_scan_refuse(scan, "the pattern has a ) without its (");
    scan->depth--;
    fputc(*scan->at++, scan->out);
    repeated = is_repeated(scan);
    if (repeated && closed.looks)
        return perl_scan_refuse(scan, "a repeated (?=..), (?!..), (?<=..) or (?<!..) may mean "
                                      "another thing to PCRE2; write it once");
    scan->unsure_capture |= closed.holds && (closed.negative || repeated);
    scan->groups[scan->depth].holds |= closed.holds || closed.capture;
    return true;
}

static bool read_spaced(struct perl_scan *scan, char c)
{
    if (c == '#')
        return read_comment(scan);
    if (c == '\x85')
        return perl_scan_refuse(scan, "Perl takes the byte \\x85 for a blank under flag x; "
                                      "write \\x85 for the byte");
    fputc(' ', scan->out);
    while (scan->at < scan->end && isspace((unsigned char)*scan->at))
        scan->at++;
    return true;
}

static bool read_next(struct perl_scan *scan)
{
    char c = *scan->at;

    if (is_spaced(scan) && (c == '#' || c == '\x85' || isspace((unsigned char)c)))
        return read_spaced(scan, c);
    switch (c) {
    case '\\':
        return perl_scan_escape(scan, false);
    case '[':
        return perl_scan_class(scan);
    case '(':
        return perl_scan_open(scan);
    case ')':
        return read_close(scan);
    case '{':
        return read_brace(scan);
    case '*':
    case '+':
    case '?':
        fputc(*scan->at++, scan->out);
        return check_suffix(scan);
    default:
        return perl_scan_plain(scan);
    }
}

/* The flags of qr in perlop(1). o and p change nothing in a test, nor do a and d on bytes. */
static bool read_flags(struct perl_scan *scan, struct flags *flags)
{
    for (size_t n = 0; n < scan->pattern->flags_len; n++) {
        char c = scan->pattern->flags[n];

        switch (c) {
        case 'i':
            flags->any_case = true;
            break;
        case 's':
            flags->dot_all = true;
            break;
        case 'x':
            flags->more_spaced = flags->spaced;
            flags->spaced = true;
            break;
        case 'm':
            flags->lines = true;
            break;
        case 'n':
            flags->plain_groups = true;
            break;
        case 'o':
        case 'p':
        case 'a':
        case 'd':
            break;
        case 'l':
        case 'u':
            return perl_scan_refuse(scan,
                                    "flag %c takes letters above 127 from %s, and headers are "
                                    "bytes; leave it out where the pattern is plain ASCII",
                                    c, c == 'l' ? "the locale" : "Unicode");
        default:
            return perl_scan_refuse(scan, "Perl knows no flag \"%c\" for qr; leave it out", c);
        }
    }
    return true;
}

static bool convert(struct perl_scan *scan)
{
    struct flags flags = {0};

    if (scan->pattern->len == 0)
        return perl_scan_refuse(scan, "Perl takes an empty pattern for the last one that matched; "
                                      "write qr/^/ for any value");
    if (!read_flags(scan, &flags))
        return false;
    scan->outer_spaced = scan->groups[0].spaced = flags.spaced;
    fputc('/', scan->out);
    if (flags.lines || flags.plain_groups || flags.more_spaced)
        fprintf(scan->out, "(?%s%s%s)", flags.lines ? "m" : "", flags.plain_groups ? "n" : "",
                flags.more_spaced ? "xx" : "");
    while (scan->at < scan->end)
        if (!read_next(scan))
            return false;
    if (scan->octal && scan->captures > 99)
        return perl_scan_refuse(scan, "with so many groups a byte has to be written as in \\x41");
    if (scan->refers && scan->unsure_capture)
        return perl_scan_refuse(scan, "the pattern refers to a group that is captured within a "
                                      "repeated or negative one, where Perl and PCRE2 differ; "
                                      "write it without");
    fprintf(scan->out, "/%s%s%s", flags.any_case ? "i" : "",
            flags.spaced && !flags.more_spaced ? "x" : "", flags.dot_all ? "s" : "");
    return true;
}

char *perl_pattern_convert(const struct perl_pattern *pattern, char **notes_r,
                           char reason_r[PERL_REASON_SIZE])
{
    char *text, *notes;
    size_t text_len, notes_len;
    struct perl_scan scan = {.at = pattern->text,
                             .end = pattern->text + pattern->len,
                             .out = mem_stream(&text, &text_len),
                             .notes = mem_stream(&notes, &notes_len),
                             .pattern = pattern,
                             .reason = reason_r};
    bool good;

    reason_r[0] = '\0';
    good = convert(&scan);
    mem_stream_end(scan.out);
    mem_stream_end(scan.notes);
    if (!good) {
        free(text);
        free(notes);
        return NULL;
    }
    *notes_r = notes;
    return text;
}
