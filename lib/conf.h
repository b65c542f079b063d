/*
 * conf - read a configuration file in sh syntax, without executing it
 *
 * Understood: `NAME=value`, `NAME[n]=value`, single and double quotes, backslash escapes, comments,
 * blank lines, several assignments on a line, `\` at the end of a line. Everything else that sh
 * would do (expansion of $ and `, commands, export, ...) is an error with its line, since a file
 * that sh reads one way must never be read here in another.
 */
#ifndef PEG_CONF_H
#define PEG_CONF_H

#include <stddef.h>

#include "lib/attr.h"
#include "lib/diag.h"

struct conf_entry {
    char *name;    /* without suffix [n] */
    int index;     /* n of NAME[n], -1 where there is none */
    char *value;   /* with quotes and escapes resolved */
    unsigned line; /* where the assignment begins, from 1 */
};

struct conf {
    struct conf_entry *entries; /* in file order; a later assignment of one name wins, as in sh */
    size_t count;
};

/*
 * Parse text (text_len bytes; NUL bytes are an error). file is used in reports only. Reports every
 * problem to diag. Returns the entries that could be read, to be freed with conf_free(), or NULL
 * where memory ran out.
 */
struct conf *conf_parse(const char *text, size_t text_len, const char *file,
                        struct diag *diag) PEG_MUST_USE;

void conf_free(struct conf **conf);

#endif
