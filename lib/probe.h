/*
 * probe - the addresses of the mail with which `peg-gen doctor` tries every priority
 *
 * A recipient in the domain `priority-N.peg-probe.invalid` has priority N, whatever the rules say,
 * where it is the only one, of mail without a sender: so nobody can raise other recipients by it,
 * and no bounce of it can go anywhere.
 * Names below `invalid` are nobody's (RFC 6761 6.4), and each instance delivers this domain to the
 * doctor on this machine, or to nobody. Pure; thread-safe.
 */
#ifndef PEG_LIB_PROBE_H
#define PEG_LIB_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"

#define PROBE_DOMAIN "peg-probe.invalid"

/* What names one run of the doctor: letters and digits. */
enum { PROBE_ID_SIZE = 17, PROBE_ADDRESS_SIZE = 80 };

/* The recipient of the probe for a priority: probe-ID@priority-4.peg-probe.invalid */
void probe_address(const char *id, int priority, char address_r[PROBE_ADDRESS_SIZE]);

/*
 * The priority of an address (internal form) in one of those domains, in any letter case; -1 for
 * all other addresses, and where the number is not below priority_count.
 */
int probe_priority(const char *address, int priority_count) PEG_MUST_USE;

/* Whether a message from sender ("" for none) to so many recipients can be a probe. */
bool probe_can_be(const char *sender, size_t recipient_count) PEG_MUST_USE;

#endif
