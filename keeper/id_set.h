/*
 * id_set - a set of queue IDs
 *
 * Filled first, then asked. Not for concurrent use on one object.
 */
#ifndef PEG_ID_SET_H
#define PEG_ID_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"

/* All zero is an empty set; id_set_free() ends it. */
struct id_set {
    char **ids;
    size_t count; /* an ID that was added twice may count twice */
    size_t room;
    bool is_sorted;
};

/* Add a copy of id. false: out of memory; the set is as it was. */
bool id_set_add(struct id_set *set, const char *id) PEG_MUST_USE;

bool id_set_has(struct id_set *set, const char *id) PEG_MUST_USE;

/* How many different ones there are. */
size_t id_set_count(struct id_set *set) PEG_MUST_USE;

/* Free what is in the set, and make it empty. */
void id_set_free(struct id_set *set);

#endif
