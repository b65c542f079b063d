/* route - how mail finds its way from the frontend to an instance */
#include "lib/route.h"

#include <stdio.h>

void route_plain(const struct settings *settings, int priority, char route_r[PEG_ROUTE_SIZE])
{
    snprintf(route_r, PEG_ROUTE_SIZE, "peg%d:[127.0.0.1]:%d", priority,
             settings->instance_port_base + priority);
}

void route_marked(const struct settings *settings, int priority, char route_r[PEG_ROUTE_SIZE])
{
    snprintf(route_r, PEG_ROUTE_SIZE, "peg%d-f:[127.0.0.1]:%d", priority,
             settings->instance_port_base + priority);
}
