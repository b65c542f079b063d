/*
 * answer - which routing keys have an entry, and what it is
 *
 * Pure.
 */
#ifndef PEG_ANSWER_H
#define PEG_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/route.h"
#include "lib/settings.h"

/*
 * Whether a routing key is an address. All others (`*`, a domain alone: the wildcard and partial
 * keys of transport(5)) have no entry. A recipient without domain is no exception: Postfix appends
 * one before it asks (append_at_myorigin).
 */
bool answer_is_address(const char *key, size_t key_len) PEG_MUST_USE;

/*
 * Write the route of a priority into route_r. A priority that the settings do not have (claimed
 * before PRIORITY_COUNT became smaller) takes the highest there is: mail is never demoted.
 */
void answer_format(const struct settings *settings, int priority, char route_r[PEG_ROUTE_SIZE]);

#endif
