/*
 * route - how mail finds its way from a frontend to an instance
 *
 * The frontend has two smtp transports for each priority n: `pegN` for ordinary mail, and `pegN-f`
 * for mail that the milter marked with PEG_ROUTE_HEADER, which that transport removes. peg-tcpmap
 * answers lookups with routes, and peg-gen writes them.
 */
#ifndef PEG_LIB_ROUTE_H
#define PEG_LIB_ROUTE_H

#include "lib/settings.h"

/* `X-Peg-Route: 4`: the whole message goes to instance 4 (milter_header_checks, FILTER). */
#define PEG_ROUTE_HEADER "X-Peg-Route"

enum { PEG_ROUTE_SIZE = 320 }; /* the longest name of a host, and all around it */

/*
 * The route of ordinary mail, "peg4:[127.0.0.1]:20004", or with the INSTANCE_NEXTHOP of that
 * priority (transport(5), transport:nexthop).
 */
void route_plain(const struct settings *settings, int priority, char route_r[PEG_ROUTE_SIZE]);

/* The route of marked mail, "peg4-f:[127.0.0.1]:20004". */
void route_marked(const struct settings *settings, int priority, char route_r[PEG_ROUTE_SIZE]);

#endif
