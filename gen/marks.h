/*
 * marks - comments in main.cf and master.cf that say which entries peg-gen keeps
 *
 * Pure: text in, text out. A mark is a comment line just before an entry. postconf(1) leaves
 * comments where they are and writes none.
 */
#ifndef PEG_GEN_MARKS_H
#define PEG_GEN_MARKS_H

#include "gen/cf_text.h"
#include "admin/pairs.h"
#include "gen/plan.h"
#include "lib/attr.h"

/*
 * The marks of a plan, entry -> comment line without newline: entries are named as in plan->main
 * and plan->services. To be freed with pairs_deinit().
 */
void marks_of_plan(const struct plan *plan, enum cf_file file, struct pairs *marks_r);

/*
 * Put a mark before each entry that has one in marks, and take away all others. Nothing changes
 * where that is done already.
 */
void marks_put(struct cf_text *cf, const struct pairs *marks);

#endif
