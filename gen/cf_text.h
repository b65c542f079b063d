/*
 * cf_text - main.cf or master.cf taken apart: its entries, and the comments before each
 *
 * Pure. What is put together again without a change is the same text to the byte.
 */
#ifndef PEG_GEN_CF_TEXT_H
#define PEG_GEN_CF_TEXT_H

#include <stddef.h>

#include "lib/attr.h"

enum cf_file { CF_MAIN, CF_MASTER };

/* "main.cf" or "master.cf". */
const char *cf_file_name(enum cf_file file) PEG_MUST_USE;

struct cf_entry {
    char *lead; /* whole lines before it: comments and empty ones; "" for none */
    char *name; /* "relayhost", "smtp/inet" */
    char *body; /* its lines, with those by which it goes on and the comments between them */
};

struct cf_text {
    struct cf_entry *entries;
    size_t count;
    char *tail; /* the lines after the last entry */
};

/* Both are to be freed by the caller: the parts with cf_text_deinit(), the text with free(). */
void cf_text_parse(const char *text, enum cf_file file, struct cf_text *cf_r);
char *cf_text_format(const struct cf_text *cf) PEG_MUST_USE;
void cf_text_deinit(struct cf_text *cf);

/*
 * Give each entry of edited the comments that it has in original. postconf(1), when it changes an
 * entry of master.cf, moves the comments behind it to the front of it, where they say something
 * about another one. What stood before an entry that is gone goes to the next.
 */
void cf_text_restore_comments(struct cf_text *edited, const struct cf_text *original);

#endif
