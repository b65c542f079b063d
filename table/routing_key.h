/*
 * routing_key - the spelling in which Postfix asks for a recipient's transport
 *
 * An envelope recipient has an internal form (`quo ted@dest.example`), in which addresses are
 * compared, and external forms: that of the SMTP protocol and the {rcpt_addr} macro
 * (`"quo ted"@dest.example`, Postfix src/global/quote_821_local.c), and that of table lookups,
 * which is the routing key (src/global/quote_822_local.c; they differ in what is quoted).
 *
 * Pure; thread-safe. All results are made by malloc() and belong to the caller; NULL: out of
 * memory.
 */
#ifndef PEG_ROUTING_KEY_H
#define PEG_ROUTING_KEY_H

#include <stddef.h>

#include "lib/attr.h"

/* The internal form of an external one: quotes and backslashes of the local part resolved. */
char *routing_key_internal(const char *external) PEG_MUST_USE;

/*
 * What Postfix resolved a recipient to, in the letter case that it will ask with. It folds the case
 * of {rcpt_addr} (src/smtpd/smtpd_resolve.c), but its queue manager asks for the address as the
 * client gave it, completed and without source route. given and resolved are in internal form. What
 * of resolved is not in given, as the domain of an address that had none, stays as it is.
 */
char *routing_key_recase(const char *given, const char *resolved) PEG_MUST_USE;

/* The routing key of an address in internal form. */
char *routing_key_format(const char *internal) PEG_MUST_USE;

/* Where the domain of an address in either form begins: behind the last `@`; its end if none. */
const char *routing_key_domain(const char *address);

#endif
