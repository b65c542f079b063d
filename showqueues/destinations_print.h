/*
 * destinations_print - a table of destinations as peg-showqueues shows it, for people and programs
 *
 * Domains are those of strangers: what could change a terminal, or the direction of text on it,
 * is shown as `?`. JSON has them as they are, in ASCII.
 */
#ifndef PEG_DESTINATIONS_PRINT_H
#define PEG_DESTINATIONS_PRINT_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/attr.h"
#include "showqueues/destinations.h"

/*
 * Write one Postfix: its name and total, and a line for each of its `limit` largest domains (0: for
 * all), after that for all of them and before that for the others together; columns are those of
 * qshape(1). Returns false where memory ran out.
 */
bool destinations_print(const struct destinations *destinations, const char *name, size_t limit,
                        FILE *out) PEG_MUST_USE;

/*
 * The same as JSON, to be freed by the caller; NULL: out of memory.
 *
 *   {"name": "postfix4", "error": null, "recipients": 3, "by_age": [2, 0, 1, ...],
 *    "oldest": "2026-11-26T02:30:00.000Z", "oldest_age_seconds": 1260,
 *    "destinations": [{"domain": "dest.example", "recipients": 3, "by_age": [...], "oldest": ...,
 *                      "oldest_age_seconds": ...}],
 *    "others": 0}
 *
 * "others" is the number of domains that are not listed. A domain is null where addresses have
 * none; what is older than nothing is null.
 */
json_t *destinations_json(const struct destinations *destinations, const char *name, size_t limit,
                          int64_t now_s) PEG_MUST_USE;

/* The same for one that could not be seen, with the reason in "error" and null for all else. */
json_t *destinations_json_error(const char *name, const char *why) PEG_MUST_USE;

/* The limits of ages in minutes: [5, 10, ... 1280]; what is older comes last in "by_age". */
json_t *destinations_json_ages(void) PEG_MUST_USE;

#endif
