/*
 * destinations - recipients that wait, by the domain of their address and by how long they have
 *
 * Pure. Memory grows with the number of domains, not of recipients; strangers choose them, and no
 * choice of theirs makes it slow.
 */
#ifndef PEG_DESTINATIONS_H
#define PEG_DESTINATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"

/*
 * Ages as qshape(1) of Postfix has them: up to 5 minutes, to 10, 20, 40 and so on, and beyond 1280.
 * A recipient's is that of its message.
 */
enum { DESTINATIONS_AGES = 10, DESTINATIONS_FIRST_AGE_MIN = 5 };

struct destination {
    const char *domain; /* ASCII letters in lower case, without a dot at its end; NULL: none */
    uint64_t recipients;
    uint64_t by_age[DESTINATIONS_AGES];
    int64_t oldest_s; /* arrival of its oldest message, since 1970; only where recipients > 0 */
};

struct destinations;

/* An empty table, for ages at now_s. NULL: out of memory. */
struct destinations *destinations_new(int64_t now_s) PEG_MUST_USE;
void destinations_free(struct destinations **destinations);

/*
 * Count one recipient. address is in external form (RFC 5321 4.1.2, local part quoted where it has
 * to be); one without domain, such as MAILER-DAEMON, counts for the domain NULL. A message from the
 * future is new. Returns false where memory ran out.
 */
bool destinations_add(struct destinations *destinations, const char *address,
                      int64_t arrival_s) PEG_MUST_USE;

/* All together; domain is NULL. */
const struct destination *destinations_total(const struct destinations *destinations);

/*
 * The domains, that with the most recipients first; among equals by name. *list_r is freed by the
 * caller, with free(), what it points at is borrowed. Returns false where memory ran out.
 */
bool destinations_sort(const struct destinations *destinations, const struct destination ***list_r,
                       size_t *count_r) PEG_MUST_USE;

#endif
