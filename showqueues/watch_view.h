/*
 * watch_view - surveys as lines of a terminal: the view of peg-showqueues --watch
 *
 * A line for each Postfix, those that receive first and then the most urgent: what it has in its
 * queues, the age of its oldest message that is not on hold, and messages in and out per second.
 * The bar is logarithmic, so that three messages are seen beside a hundred thousand: a seventh of
 * its full length for 1, and one more for 10, 100, ... 1000000. Its parts are those of incoming and
 * active, of deferred, and of hold.
 *
 * Pure.
 */
#ifndef PEG_WATCH_VIEW_H
#define PEG_WATCH_VIEW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/attr.h"
#include "survey/survey.h"

/* What switches the terminal; "" where it cannot, or shall not. */
struct watch_style {
    const char *plain;   /* ends the others */
    const char *heading; /* and what is of less weight */
    const char *alarm;
    const char *moving; /* parts of bars: incoming and active, */
    const char *deferred;
    const char *hold;
};

struct watch_look {
    int width;  /* columns; 0: as many as it takes, and no bars */
    int height; /* lines; 0: as many as it takes */
    bool is_utf8;
    struct watch_style style;
    const char *note; /* at the end of the first line */
};

/*
 * Write a view, each line with a newline. `before` is an earlier survey, for the rates, or NULL;
 * where it tells of a later time, or counting has begun anew since, no rate is known. No more than
 * height lines are written, and no line is wider than width.
 */
void watch_view_print(const struct survey *survey, const struct survey *before,
                      const struct watch_look *look, FILE *out);

#endif
