/* perl_group - what an opening parenthesis begins in a Perl regular expression (perlre(1)) */
#include <ctype.h>
#include <string.h>

#include "import/perl_pattern_internal.h"

/* Copy an opening of len bytes, and go on in the group. */
static bool push(struct perl_scan *scan, size_t len, struct perl_group group)
{
    if (scan->depth == PERL_GROUPS_MAX)
        return perl_scan_refuse(scan, "groups are nested too deeply; at most %d", PERL_GROUPS_MAX);
    fwrite(scan->at, 1, len, scan->out);
    scan->at += len;
    group.spaced = scan->groups[scan->depth].spaced;
    scan->captures += group.capture;
    scan->groups[++scan->depth] = group;
    return true;
}

/* The length up to and with `close`, of words and these characters only; 0 where it is not so. */
static size_t span(const struct perl_scan *scan, size_t from, const char *others, char close)
{
    size_t len = from;
    char c;

    while ((c = perl_scan_peek(scan, len)) != '\0' && c != close &&
           (isalnum((unsigned char)c) || strchr(others, c) != NULL))
        len++;
    return c == close && len > from ? len + 1 : 0;
}

/* (?<name>..), (?'name'..), (?P<name>..) */
static bool read_named(struct perl_scan *scan, size_t from, char close)
{
    size_t len = span(scan, from, "_", close);

    if (len == 0)
        return perl_scan_refuse(scan, "the name of a group is not understood; write (?<name>..)");
    return push(scan, len, (struct perl_group){.capture = true});
}

/* A group that is called, or compared: (?1), (?-1), (?R), (?&name), (?P=name), (?P>name) */
static bool read_call(struct perl_scan *scan)
{
    size_t len = span(scan, 2, "_&=>+-", ')');

    if (len == 0)
        return perl_scan_refuse(scan, "the call of a group is not understood; write it as (?1)");
    scan->refers = true;
    fwrite(scan->at, 1, len, scan->out);
    scan->at += len;
    return true;
}

/* (?(condition)yes|no); where the condition is a group, (?( goes on with that one. */
static bool read_condition(struct perl_scan *scan)
{
    size_t len = span(scan, 3, "_<>'&", ')');

    scan->refers = true;
    if (perl_scan_peek(scan, 3) == '?' && strchr("=!<", perl_scan_peek(scan, 4)) != NULL)
        return push(scan, 2, (struct perl_group){0});
    if (len == 0)
        return perl_scan_refuse(scan, "the condition of a (?(..) is not understood; write the "
                                      "alternatives out");
    return push(scan, len, (struct perl_group){0});
}

/* (?#..) ends at the first parenthesis, whatever stands before it. */
static bool read_note(struct perl_scan *scan)
{
    const char *close = memchr(scan->at, ')', (size_t)(scan->end - scan->at));

    if (close == NULL)
        return perl_scan_refuse(scan, "a (?# in the pattern is not closed");
    for (const char *at = scan->at + 3; at < close; at++)
        fputc(*at == '\n' ? ' ' : *at, scan->notes);
    fputc('\n', scan->notes);
    fputs("(?#)", scan->out);
    scan->at = close + 1;
    return true;
}

/* (?i), (?i-x), (?^x) for the rest of the group, (?i:..) for one of its own. */
static bool read_flags(struct perl_scan *scan)
{
    size_t len = 2 + (perl_scan_peek(scan, 2) == '^');
    bool spaced = len == 2 && scan->groups[scan->depth].spaced, on = true;
    char c;

    for (; (c = perl_scan_peek(scan, len)) != '\0' && strchr("imsxn-", c) != NULL; len++) {
        on = on && c != '-';
        if (c == 'x')
            spaced = on;
    }
    if (c == ':') {
        if (!push(scan, len + 1, (struct perl_group){0}))
            return false;
    } else if (c == ')') {
        fwrite(scan->at, 1, len + 1, scan->out);
        scan->at += len + 1;
    } else {
        return perl_scan_refuse(scan,
                                "(?%.*s is not converted; of the flags within a pattern i, "
                                "m, n, s and x are",
                                (int)(isgraph((unsigned char)c) ? len - 1 : len - 2), scan->at + 2);
    }
    scan->groups[scan->depth].spaced = spaced;
    return true;
}

static bool read_question(struct perl_scan *scan, char kind)
{
    char next = perl_scan_peek(scan, 3);

    if (kind == '#')
        return read_note(scan);
    if (kind == '{' || (kind == '?' && next == '{'))
        return perl_scan_refuse(scan, "(?{..}) runs Perl code, which is not converted; write the "
                                      "pattern without");
    if (kind == '[')
        return perl_scan_refuse(scan, "(?[..]) is not converted; write a class [..]");
    if (kind == '(')
        return read_condition(scan);
    if (kind == '<' && (next == '=' || next == '!'))
        return push(scan, 4, (struct perl_group){.looks = true, .negative = next == '!'});
    if (kind == '<' || kind == '\'')
        return read_named(scan, 3, kind == '<' ? '>' : '\'');
    if (kind == 'P' && next == '<')
        return read_named(scan, 4, '>');
    if (kind == 'R' || kind == 'P' || kind == '&' || kind == '+' || isdigit((unsigned char)kind) ||
        (kind == '-' && isdigit((unsigned char)next)))
        return read_call(scan);
    if (kind == '=' || kind == '!')
        return push(scan, 3, (struct perl_group){.looks = true, .negative = kind == '!'});
    if (kind == '>' || kind == '|')
        return push(scan, 3, (struct perl_group){0});
    return read_flags(scan);
}

bool perl_scan_open(struct perl_scan *scan)
{
    char next = perl_scan_peek(scan, 1);

    if (next == '*')
        return perl_scan_refuse(scan, "(*..) steers Perl's search, which is not converted; write "
                                      "the pattern without, or \\* for the character");
    if (next == '?')
        return read_question(scan, perl_scan_peek(scan, 2));
    return push(scan, 1, (struct perl_group){.capture = true});
}
