/*
 * perl_pattern - a Perl regular expression as a pattern of the rules file, or why it is none
 *
 * PCRE2 reads nearly all of perlre(1) as Perl does, on the bytes of a header as well;
 * pcre2compat(3) says what not. What means something else, or depends on a variable, is refused
 * with a reason. What is taken means the same: `/` is escaped, lines are joined, flags become ours
 * or an inline group. Whether PCRE2 compiles it is for the reader of rules to say.
 */
#ifndef PEG_IMPORT_PERL_PATTERN_H
#define PEG_IMPORT_PERL_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "import/perl_quote.h"
#include "lib/attr.h"

struct perl_pattern {
    const char *text; /* as perl_quote_strip() leaves it */
    size_t len;
    const char *flags; /* as written */
    size_t flags_len;
    bool interpolates; /* variables and \Q, as everywhere but between single quotes */
    bool characters;   /* written under `use utf8`: text above 127 is characters, not bytes */
};

/*
 * Returns the pattern with its slashes and flags, and *notes_r, the comments of an x pattern, each
 * with a newline behind it; both to be freed with free(). NULL with a reason, *notes_r untouched.
 */
char *perl_pattern_convert(const struct perl_pattern *pattern, char **notes_r,
                           char reason_r[PERL_REASON_SIZE]) PEG_MUST_USE;

#endif
