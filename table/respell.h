/*
 * respell - the same address with other letter case in its domain
 *
 * Domain names are compared without regard to case (RFC 5321 2.4, RFC 4343), so all spellings are
 * one mailbox; but each is a routing key of its own. A domain with k ASCII letters has 2^k. Address
 * literals (`[192.0.2.7]`, `[IPv6:...]`) have no spellings besides their own.
 *
 * Pure; thread-safe.
 */
#ifndef PEG_RESPELL_H
#define PEG_RESPELL_H

#include <stddef.h>
#include <stdint.h>

/* How many other spellings address (internal or external form) has that are worth trying. */
uint32_t respell_count(const char *address);

/*
 * Write spelling n, from 0 (address itself) to respell_count(), of address to spelling_r, which has
 * room for strlen(address) + 1 bytes. Different n give different spellings.
 */
void respell(const char *address, uint32_t n, char *spelling_r);

#endif
