/* config_line - where a parameter stands, for reports about values that are right in themselves */
#ifndef PEG_GEN_CONFIG_LINE_H
#define PEG_GEN_CONFIG_LINE_H

#include "lib/attr.h"
#include "lib/settings.h"

/* The line of the last assignment to name in the settings' file; 0 where its default stands. */
unsigned config_line(const struct settings *settings, const char *name) PEG_MUST_USE;

#endif
