/*
 * watch_here - peg-showqueues --watch with surveys that it takes itself
 */
#ifndef PEG_WATCH_HERE_H
#define PEG_WATCH_HERE_H

#include "lib/attr.h"
#include "monitor/show_options.h"

/*
 * Read the settings, and show what the options ask for with what goes through the queues as long as
 * this runs. Returns the exit status, as watch_run().
 */
int watch_here(const struct show_options *options) PEG_MUST_USE;

#endif
