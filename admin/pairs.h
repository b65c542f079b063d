/*
 * pairs - an ordered list of names with values
 *
 * Parameters of main.cf, services of master.cf and files with their contents all are such lists.
 * Names and values are copied in and belong to the list.
 */
#ifndef PEG_ADMIN_PAIRS_H
#define PEG_ADMIN_PAIRS_H

#include <stddef.h>

#include "lib/attr.h"

struct pair {
    char *name;
    char *value;
};

/* All zero is an empty list. */
struct pairs {
    struct pair *items;
    size_t count;
};

void pairs_deinit(struct pairs *pairs);

/* Set the value of name, in its old place or, where it is new, at the end. */
void pairs_set(struct pairs *pairs, const char *name, const char *value);
void pairs_setf(struct pairs *pairs, const char *name, const char *fmt, ...) PEG_PRINTF(3, 4);

/* Put all of another list at the end. */
void pairs_add_all(struct pairs *pairs, const struct pairs *more);

/* Put a pair at the end, even where the name is there already: pairs_get() gives the first. */
void pairs_add(struct pairs *pairs, const char *name, const char *value);

/* The value of name, borrowed; NULL where there is none. */
const char *pairs_get(const struct pairs *pairs, const char *name) PEG_MUST_USE;

/* Remove name where it is there. */
void pairs_remove(struct pairs *pairs, const char *name);

#endif
