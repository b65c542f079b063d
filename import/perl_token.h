/*
 * perl_token - the tokens of a Perl file that holds data: words, strings, patterns, comments, signs
 *
 * Enough of perlop(1) and perlsyn(1) never to take quoted text for code or code for quoted text in
 * such a file. What cannot be told apart without running Perl (a here-document, say) ends the
 * reading with a reason. Every token borrows the text.
 */
#ifndef PEG_IMPORT_PERL_TOKEN_H
#define PEG_IMPORT_PERL_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"

enum perl_kind {
    PERL_END,
    PERL_BROKEN,   /* what begins here cannot be read, nor anything after it: see reason */
    PERL_COMMENT,  /* from # to the end of the line */
    PERL_DOCUMENT, /* POD, or what stands behind __END__ */
    PERL_WORD,
    PERL_NUMBER,
    PERL_STRING,  /* '..', "..", q(..), qq(..) */
    PERL_WORDS,   /* qw(..) */
    PERL_PATTERN, /* qr/../ or qr'..' */
    PERL_ACTION,  /* m/../, /../, s/../../, tr/../../: matches or changes something when it is read
                   */
    PERL_VARIABLE,
    PERL_SIGN /* one character; => is a comma */
};

struct perl_token {
    enum perl_kind kind;
    char sign; /* of PERL_SIGN, '\0' otherwise */
    const char *text;
    size_t len;
    unsigned line, last_line; /* from 1 */
    bool own_line;            /* nothing stands before it in its line */
    bool blank_before;        /* an empty line does */
    const char *reason;       /* of PERL_BROKEN: what is wrong, and what to do */
    /* Of what is quoted: the text between the delimiters, as written, and what follows. */
    const char *body, *flags;
    size_t body_len, flags_len;
    char open;
    bool interpolates;
};

struct perl_reader {
    const char *at, *end;
    const char *line_start;
    unsigned line;
    unsigned newlines; /* since the last token */
    bool after_term;   /* a value came last, so that / divides */
};

/* Read text from its beginning. It has no NUL bytes, and line feeds alone end its lines. */
void perl_reader_init(struct perl_reader *reader, const char *text, size_t text_len);

/* The next token. After PERL_END and PERL_BROKEN comes PERL_END for ever. */
struct perl_token perl_reader_next(struct perl_reader *reader) PEG_MUST_USE;

#endif
