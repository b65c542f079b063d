/*
 * showqueues - the counts of all instances of a gateway, as peg-showqueues prints them
 */
#ifndef PEG_SHOWQUEUES_H
#define PEG_SHOWQUEUES_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/attr.h"
#include "lib/settings.h"

/*
 * Write the heading, and then the counts of the frontend and of instance 0 to the last, to out.
 * Instances that cannot be counted are left out of it and reported to err, a line each, after
 * program's name. Returns whether all were counted.
 */
bool showqueues_print(const struct settings *settings, const char *program, FILE *out,
                      FILE *err) PEG_MUST_USE;

#endif
