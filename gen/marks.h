/*
 * marks - comments in main.cf and master.cf that say which entries peg-gen keeps
 *
 * Pure: text in, text out. A mark is a comment line just before an entry. postconf(1) leaves
 * comments where they are and writes none.
 */
#ifndef PEG_GEN_MARKS_H
#define PEG_GEN_MARKS_H

#include "gen/pairs.h"
#include "gen/plan.h"
#include "lib/attr.h"

enum marks_file { MARKS_MAIN, MARKS_MASTER };

/* "main.cf" or "master.cf". */
const char *marks_file_name(enum marks_file file) PEG_MUST_USE;

/*
 * The marks of a plan, entry -> comment line without newline: entries are named as in plan->main
 * and plan->services. To be freed with pairs_deinit().
 */
void marks_of_plan(const struct plan *plan, enum marks_file file, struct pairs *marks_r);

/*
 * text with a mark before each entry that has one in marks, and no others. The result, to be freed
 * by the caller, is the same text where nothing has to change.
 */
char *marks_put(const char *text, enum marks_file file, const struct pairs *marks) PEG_MUST_USE;

#endif
