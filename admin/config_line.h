/* config_line - where a parameter stands, for reports about values that are right in themselves */
#ifndef PEG_ADMIN_CONFIG_LINE_H
#define PEG_ADMIN_CONFIG_LINE_H

#include "lib/attr.h"
#include "lib/settings.h"

/* The line of the last assignment to name in the settings' file; 0 where its default stands. */
unsigned config_line(const struct settings *settings, const char *name) PEG_MUST_USE;

/*
 * The line from which a Postfix (PEG_FIRST and up) has its value of a parameter with suffixes: that
 * of NAME_FRONTEND; that of NAME_URGENT or else of NAME_FRONTEND; that of NAME[n] or else of
 * NAME_DEFAULT. 0 as above.
 */
unsigned config_line_of_instance(const struct settings *settings, const char *name,
                                 int instance) PEG_MUST_USE;

#endif
