/*
 * open_table - the decision table of a gateway, made from what is on disk where it is gone
 */
#ifndef PEG_OPEN_TABLE_H
#define PEG_OPEN_TABLE_H

#include "lib/attr.h"
#include "lib/settings.h"
#include "table/table.h"

/* As table_open(), with the paths, the capacity and the store of these settings. */
struct table *open_table(const struct settings *settings, enum table_role role,
                         char why_r[TABLE_WHY_SIZE]) PEG_MUST_USE;

/*
 * Whether the store can be read and written: asked at start, since it would be missed only after
 * the next crash. Returns false after logging why.
 */
bool open_table_can_recover(const struct settings *settings) PEG_MUST_USE;

#endif
