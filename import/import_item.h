/*
 * import_item - what import has read, in the order of the file, and how it is written
 *
 * Items borrow the original's text; the strings that they own are freed by import_items_free().
 */
#ifndef PEG_IMPORT_IMPORT_ITEM_H
#define PEG_IMPORT_IMPORT_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "milter/rules.h"

enum import_kind { IMPORT_COMMENT, IMPORT_DOCUMENT, IMPORT_RULE, IMPORT_FAILED };

struct import_item {
    enum import_kind kind;
    const char *text; /* as it stands in the original */
    size_t len;
    unsigned line, last_line; /* there, from 1 */
    bool blank_before;
    const char *comment; /* behind it, from its #, comment_len bytes; NULL where there is none */
    size_t comment_len;
    char *source, *pattern; /* of a rule, as the rules file has them */
    enum rules_recipients recipients;
    int priority;
    char *notes;  /* of a rule: comments within its pattern, each with a newline; or NULL */
    char *reason; /* of a failed one: what is wrong, and what to do */
};

struct import_items {
    struct import_item *items;
    size_t count;
};

/* Append an item, which then belongs to items. The address is good until the next one. */
struct import_item *import_items_add(struct import_items *items, const struct import_item *item);

/* Drop all but the first count items. */
void import_items_cut(struct import_items *items, size_t count);

void import_items_free(struct import_items *items);

/* The rule as a line of the rules file, padded to these widths, without newline. */
void import_item_print_rule(FILE *out, const struct import_item *item, int source_width,
                            int pattern_width);

/* The whole rules file; file is the original's name. */
void import_items_print(FILE *out, const struct import_items *items, const char *file);

#endif
