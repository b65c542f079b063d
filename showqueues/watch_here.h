/*
 * watch_here - peg-showqueues --watch with surveys that it takes itself
 */
#ifndef PEG_WATCH_HERE_H
#define PEG_WATCH_HERE_H

#include "lib/attr.h"
#include "showqueues/show_options.h"
#include "showqueues/watch.h"
#include "survey/flow.h"

/* Where a view gets its surveys from. */
struct watch_here {
    const struct show_options *options;
    struct settings *settings;
    struct flow *flow; /* NULL: rates are those of peg-monitor's survey, or not known */
};

/*
 * The take() of a watch_source, of which arg is a struct watch_here. What goes through the queues
 * while it looks is counted, but the flows of the survey are those of its beginning, as its time
 * is.
 */
bool watch_here_take(void *arg, enum survey_detail detail, bool (*is_over)(void *over_arg),
                     void *over_arg, struct survey *survey_r,
                     char why_r[WATCH_WHY_SIZE]) PEG_MUST_USE;

/*
 * Read the settings, and show what the options ask for with what goes through the queues as long as
 * this runs. Returns the exit status, as watch_run().
 */
int watch_here(const struct show_options *options) PEG_MUST_USE;

#endif
