/*
 * address_set - the mailboxes seen in the To and Resent-To fields of one message.
 *
 * An envelope recipient that is a member is a `to` recipient; every other is `cc`.
 *
 * Threads: one set belongs to one thread at a time; address_set_has() may sort it.
 * Memory:  no more than the fields that were added, and two words per address.
 * Time:    adding is linear; the first lookup after adding sorts. Nothing is hashed, so no sender
 *          can make addresses collide.
 */
#ifndef PEG_ADDRESS_SET_H
#define PEG_ADDRESS_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"

struct address_set;

/* An empty set, to be freed with address_set_free(); NULL if memory ran out. */
struct address_set *address_set_new(void) PEG_MUST_USE;

/* Frees *set and sets it to NULL. *set may be NULL. */
void address_set_free(struct address_set **set);

/*
 * Add all addresses of one header field value, read as address_read() does. May be called after
 * lookups too. value is borrowed for the call.
 *
 * Returns false if memory ran out; the addresses read before that stay in the set.
 */
bool address_set_add_field(struct address_set *set, const char *value,
                           size_t value_len) PEG_MUST_USE;

/*
 * Whether addr is in the set.
 *
 * addr  internal form (local part unquoted), as in the macro {rcpt_addr} of Postfix;
 *       NUL-terminated, borrowed
 *
 * ASCII letters compare without case, in the local part too; other bytes compare as they are. One
 * dot at the end of a domain is ignored. An address without domain matches only itself.
 */
bool address_set_has(struct address_set *set, const char *addr) PEG_MUST_USE;

/* How many addresses the fields held; an address that was named twice counts twice. */
size_t address_set_count(const struct address_set *set) PEG_MUST_USE;

#endif
