/*
 * service - peg-tcpmap as a daemon: start, the decision table behind the server, signals, end
 */
#ifndef PEG_SERVICE_H
#define PEG_SERVICE_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/options.h"

/*
 * Read the settings below options->root, become a daemon unless foreground, and serve until SIGTERM
 * or SIGINT. Returns the exit status of the process.
 */
int tcpmap_service_run(const struct options *options, bool foreground) PEG_MUST_USE;

#endif
