/* perl_pattern_internal - what the parts of perl_pattern share, and nobody else */
#ifndef PEG_IMPORT_PERL_PATTERN_INTERNAL_H
#define PEG_IMPORT_PERL_PATTERN_INTERNAL_H

#include <stdio.h>

#include "import/perl_pattern.h"

enum { PERL_GROUPS_MAX = 250 }; /* PCRE2's own limit of nesting */

struct perl_group {
    bool spaced;   /* flag x holds: blanks and comments */
    bool capture;  /* (..) or (?<name>..) */
    bool holds;    /* there are captures in it */
    bool looks;    /* (?=..), (?<=..) and the negative ones, */
    bool negative; /* (?!..), (?<!..) */
};

/* Where the conversion stands. */
struct perl_scan {
    const char *at, *end;
    FILE *out, *notes;
    const struct perl_pattern *pattern;
    char *reason; /* PERL_REASON_SIZE bytes */
    bool outer_spaced;
    struct perl_group groups[PERL_GROUPS_MAX + 1]; /* [0] is the whole pattern */
    size_t depth;
    size_t captures;     /* groups that capture */
    bool octal;          /* three octal digits were taken for a byte */
    bool refers;         /* something depends on what a group captured */
    bool unsure_capture; /* a group whose capture Perl and PCRE2 may see differently */
};

/* Keep the first reason. Always false. */
bool perl_scan_refuse(struct perl_scan *scan, const char *fmt, ...) PEG_PRINTF(2, 3);

/* The character `ahead` bytes on, '\0' at the end. */
char perl_scan_peek(const struct perl_scan *scan, size_t ahead);

/* Whether \.., [..], (..) can go on: each is called at its first character, and leaves the scan
 * behind what it wrote. false with a reason. */
bool perl_scan_escape(struct perl_scan *scan, bool in_class) PEG_MUST_USE;
bool perl_scan_class(struct perl_scan *scan) PEG_MUST_USE;
bool perl_scan_open(struct perl_scan *scan) PEG_MUST_USE;

/* A character without a meaning of its own, so written that it stays in its line. */
bool perl_scan_plain(struct perl_scan *scan) PEG_MUST_USE;

#endif
