/*
 * alias_index - the index of an alias_maps file, by which Postfix reads it (postalias(1))
 *
 * A table is "TYPE:PATH of the text". Errors are printed on stderr before false is returned.
 */
#ifndef PEG_CTL_ALIAS_INDEX_H
#define PEG_CTL_ALIAS_INDEX_H

#include <stdbool.h>

#include "lib/attr.h"

/* Whether it is there, and no older than the last change of the text. */
bool alias_index_is_fresh(const char *table) PEG_MUST_USE;

/* Make it from the text, at once or not at all. dir is the configuration folder. */
bool alias_index_build(const char *dir, const char *table) PEG_MUST_USE;

/* Make it where it is not fresh, for a folder that peg-gen has made. */
bool alias_index_refresh(const char *dir) PEG_MUST_USE;

/* Remove what a killed run has left beside a folder. */
void alias_index_clean(const char *dir);

#endif
