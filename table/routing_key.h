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

enum routing_key_source {
    ROUTING_KEY_EXACT,   /* the address that Postfix will ask for, to the letter */
    ROUTING_KEY_MAILBOX, /* the same mailbox, but Postfix may ask in another letter case */
    ROUTING_KEY_GUESS    /* Postfix made something else of what was given: not to be relied on */
};

/*
 * The address that Postfix will ask for. given is what the client gave, as smtpd keeps it (without
 * source route); folded is {rcpt_addr}, which says what Postfix made of it (a domain appended, a
 * trailing dot removed, a bang path turned round), but with all letter case folded, as Unicode
 * does it: `Strasse` for `Straße` (src/smtpd/smtpd_resolve.c). The queue manager asks in the case
 * that was given. Both are in internal form, and so is the result.
 */
char *routing_key_resolve(const char *given, const char *folded,
                          enum routing_key_source *source_r) PEG_MUST_USE;

/* The routing key of an address in internal form. */
char *routing_key_format(const char *internal) PEG_MUST_USE;

/* Where the domain of an address in either form begins: behind the last `@`; its end if none. */
const char *routing_key_domain(const char *address);

#endif
