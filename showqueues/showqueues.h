/*
 * showqueues - a survey as peg-showqueues prints it
 */
#ifndef PEG_SHOWQUEUES_H
#define PEG_SHOWQUEUES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/attr.h"
#include "survey/survey.h"

/*
 * Write the heading, and then each instance to out: its total, and a line for each queue unless all
 * are empty. Instances that could not be counted are left out of it and reported to err, a line
 * each, after program's name. Returns whether all were counted.
 */
bool showqueues_print(const struct survey *survey, const char *program, FILE *out,
                      FILE *err) PEG_MUST_USE;

/*
 * The same with the age of the oldest message behind every count that has one, and a last line for
 * all that were counted. Of a survey with SURVEY_DETAILS.
 */
bool showqueues_print_age(const struct survey *survey, const char *program, FILE *out,
                          FILE *err) PEG_MUST_USE;

/* Only what could not be counted, and why; what --json has in itself, it tells on stderr as well.
 */
bool showqueues_print_problems(const struct survey *survey, const char *program,
                               FILE *err) PEG_MUST_USE;

/* An age as operators read it: `04:05:06`, `3d 04:05:06`. */
enum { SHOWQUEUES_AGE_SIZE = 40 };
void showqueues_age_text(int64_t age_s, char text_r[SHOWQUEUES_AGE_SIZE]);

#endif
