/*
 * perl_quote - Perl's quoting: where a quoted text ends, and what its escapes stand for
 *
 * As perlop(1) has it under "Gory details of parsing quoted constructs". Nothing is interpolated:
 * a variable in a text is a reason not to take it.
 */
#ifndef PEG_IMPORT_PERL_QUOTE_H
#define PEG_IMPORT_PERL_QUOTE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"

enum { PERL_REASON_SIZE = 192 };

/* A letter, a digit or an underscore, of ASCII. */
bool perl_is_word(char c);

/*
 * Where the text ends that begins at `at`, behind its opening delimiter: its closing delimiter, or
 * NULL where there is none before end. Brackets nest; a backslash takes the next byte along.
 */
const char *perl_quote_end(const char *at, const char *end, char open);

/*
 * Copy a text with a backslash before a delimiter removed, which Perl does first of all. It leaves
 * those before brackets in a pattern, as the brackets mean something there: keep_brackets. Returns
 * *len_r bytes to be freed with free().
 */
char *perl_quote_strip(const char *text, size_t len, char open, bool keep_brackets,
                       size_t *len_r) PEG_MUST_USE;

/*
 * The value of a string whose delimiters perl_quote_strip() has seen: with interpolates as between
 * double quotes, else as between single ones. Returns *len_r bytes (NUL bytes are possible) with a
 * NUL behind them, to be freed with free(), or NULL with a reason.
 */
char *perl_quote_value(const char *text, size_t len, bool interpolates, size_t *len_r,
                       char reason_r[PERL_REASON_SIZE]) PEG_MUST_USE;

/* Whether a string or pattern interpolates a variable here, at its $ or @. */
bool perl_quote_is_variable(const char *at, const char *end, bool in_pattern);

/*
 * Read the byte that is written in hexadecimal (x41, x{41}), octal (101, o{101}) or as control
 * character (cA), *at behind the backslash. 1: a byte, and *at is behind it; 0: no such escape; -1:
 * it is badly formed, or a character above 255.
 */
int perl_quote_byte(const char **at, const char *end, unsigned char *byte_r) PEG_MUST_USE;

#endif
