/* service - peg-milter as a daemon: start, reload, end */
#ifndef PEG_MILTER_SERVICE_H
#define PEG_MILTER_SERVICE_H

#include <stdbool.h>

#include "lib/options.h"

/* Serve until SIGTERM, SIGINT or SIGHUP. Returns the exit status. */
int milter_service_run(const struct options *options, bool foreground);

#endif
