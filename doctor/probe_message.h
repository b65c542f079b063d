/*
 * probe_message - what a probe says, and whether it has arrived as it was sent
 *
 * Pure. Texts have lines that end in CRLF.
 */
#ifndef PEG_DOCTOR_PROBE_MESSAGE_H
#define PEG_DOCTOR_PROBE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "lib/attr.h"

enum { PROBE_MESSAGE_WHY_SIZE = 160 };

/* The message to a recipient; to be freed. It has what a gateway could spoil. */
char *probe_message_new(const char *recipient, int priority, time_t now) PEG_MUST_USE;

/*
 * Whether what arrived has all that was sent: the body to the byte, and every line of the header in
 * its order. Lines that were added, as Received, are no harm, save X-Peg-Route. Otherwise the
 * difference is said in why_r.
 */
bool probe_message_is_whole(const char *sent, const char *arrived, size_t arrived_len,
                            char why_r[PROBE_MESSAGE_WHY_SIZE]) PEG_MUST_USE;

#endif
