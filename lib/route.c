/* route - how mail finds its way from a frontend to an instance */
#include "lib/route.h"

#include <stdio.h>

static void write_route(const struct settings *settings, int priority, const char *mark,
                        char route_r[PEG_ROUTE_SIZE])
{
    if (settings_is_local(settings, priority))
        snprintf(route_r, PEG_ROUTE_SIZE, "peg%d%s:[127.0.0.1]:%d", priority, mark,
                 settings->instance_port_base + priority);
    else
        snprintf(route_r, PEG_ROUTE_SIZE, "peg%d%s:%s", priority, mark,
                 settings->instance[priority].nexthop);
}

void route_plain(const struct settings *settings, int priority, char route_r[PEG_ROUTE_SIZE])
{
    write_route(settings, priority, "", route_r);
}

void route_marked(const struct settings *settings, int priority, char route_r[PEG_ROUTE_SIZE])
{
    write_route(settings, priority, "-f", route_r);
}
