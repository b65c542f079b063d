/*
 * import_row - one row of the original's table: [ "header", qr/pattern/, recipients, priority ]
 */
#ifndef PEG_IMPORT_IMPORT_ROW_H
#define PEG_IMPORT_IMPORT_ROW_H

#include <stdbool.h>
#include <stddef.h>

#include "import/import_item.h"
#include "import/perl_quote.h"
#include "import/perl_token.h"

/* What stands between two commas. */
struct import_cell {
    struct perl_token token;
    char *value; /* of a string, word or number; NULL of a pattern */
    size_t value_len;
};

enum { IMPORT_CELLS = 4 };

struct import_row {
    struct import_cell cells[IMPORT_CELLS];
    size_t count;    /* of all cells, those beyond IMPORT_CELLS included */
    bool characters; /* `use utf8` is in force */
    unsigned wrong_line;
    char
        reason[PERL_REASON_SIZE]; /* the first thing that is wrong, in wrong_line; "" for nothing */
};

/* Keep the first reason. */
void import_row_refuse(struct import_row *row, unsigned line, const char *fmt, ...)
    PEG_PRINTF(3, 4);

/*
 * Take the next token of the row as a cell, or, of qw, as several. before_arrow: => follows, and so
 * Perl takes any word for a string.
 */
void import_row_add(struct import_row *row, const struct perl_token *token, bool before_arrow);

/*
 * Make the whole row a rule: fill in the parts of a rule in item, which then owns them. Priorities
 * from 0 to priority_count - 1 are good. false with a reason in row.
 */
bool import_row_convert(struct import_row *row, int priority_count,
                        struct import_item *item) PEG_MUST_USE;

void import_row_free(struct import_row *row);

#endif
