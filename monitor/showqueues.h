/*
 * showqueues - a survey as peg-showqueues prints it
 */
#ifndef PEG_SHOWQUEUES_H
#define PEG_SHOWQUEUES_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/attr.h"
#include "monitor/survey.h"

/*
 * Write the heading, and then each instance to out: its total, and a line for each queue unless all
 * are empty. Instances that could not be counted are left out of it and reported to err, a line
 * each, after program's name. Returns whether all were counted.
 */
bool showqueues_print(const struct survey *survey, const char *program, FILE *out,
                      FILE *err) PEG_MUST_USE;

#endif
