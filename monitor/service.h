/* service - peg-monitor as a daemon: start, a round every minute, reload, end */
#ifndef PEG_MONITOR_SERVICE_H
#define PEG_MONITOR_SERVICE_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/options.h"

/*
 * Read the settings below options->root, become a daemon unless foreground, and count until SIGTERM
 * or SIGINT. Returns the exit status of the process.
 */
int monitor_service_run(const struct options *options, bool foreground) PEG_MUST_USE;

#endif
