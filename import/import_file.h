/*
 * import_file - the original's file while import reads it: tokens, comments, and what fails
 *
 * Comments are taken out of the tokens and become items where they stand, unless they belong to
 * something that is skipped: they stay in the text of that.
 */
#ifndef PEG_IMPORT_IMPORT_FILE_H
#define PEG_IMPORT_IMPORT_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "import/import.h"
#include "import/import_item.h"
#include "import/perl_token.h"
#include "lib/attr.h"

enum { IMPORT_BRACKETS_MAX = 32 };

struct import_file {
    const struct import_source *source;
    struct diag *errors, *warnings;
    struct perl_reader reader;
    struct perl_token token;            /* what comes next, never a comment */
    const char *last_end;               /* of the token before it */
    unsigned last_line;                 /* and its line */
    bool in_row;                        /* a comment belongs to the row before no more */
    char brackets[IMPORT_BRACKETS_MAX]; /* what closes those that are open around tables and rows */
    size_t depth;
    bool table_open, table_seen; /* [ [..], [..] ], which is no bracket of a row */
    bool rows_seen;
    bool characters; /* `use utf8` is in force */
    struct import_items items;
};

/* Begin with text, which has no NUL bytes and no carriage returns before line feeds. */
void import_file_init(struct import_file *f, const struct import_source *source, const char *text,
                      size_t text_len);

void import_file_advance(struct import_file *f);

/* Whether the next token is one of these signs; a comma stands for =>, too. */
bool import_file_at(const struct import_file *f, const char *signs);

/* Whether the next token is this word. */
bool import_file_at_word(const struct import_file *f, const char *word);

/* Whether nothing more can be read. */
bool import_file_at_last(const struct import_file *f);

/* Go to the next of these signs outside brackets, of which depth are open now; or to the end. */
void import_file_skip(struct import_file *f, const char *signs, size_t depth);

/* Make an item one that failed: reported with this line, reason copied. */
void import_file_refuse(struct import_file *f, struct import_item *item, unsigned line,
                        const char *reason);

/* The entry that begins at first is not understood, depth of its brackets are behind us: skip it.
 */
void import_file_fail(struct import_file *f, const struct perl_token *first, size_t depth,
                      const char *reason);

/* From first on nothing can be read: the next token says why, or reason where the text ends. */
void import_file_fail_rest(struct import_file *f, const struct perl_token *first,
                           const char *reason);

#endif
