/*
 * address - read the addresses of a To, Cc, Resent-To or Resent-Cc field value.
 *
 * Follows RFC 5322 section 3.4 with the obsolete forms of section 4.4: groups, nested comments,
 * quoted strings, folded lines, source routes, empty list members. Bytes above 127 are letters
 * (RFC 6532). The input may be hostile: reading is one pass without recursion, takes what it can,
 * and starts afresh at each comma or semicolon.
 *
 * Threads: no state is kept between calls; any number of threads may read at once.
 */
#ifndef PEG_ADDRESS_H
#define PEG_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"

/*
 * Call found() once for each address of one header field value, in the order of the field.
 *
 * value      the field value without the field name; folded or unfolded; NUL bytes are allowed
 * value_len  its length in bytes; value may be NULL if this is 0
 * found      gets arg and one address in internal form: local part unquoted, comments, blanks and
 *            source route gone, `local@domain`, or `local` alone where the field gives no domain.
 *            addr is addr_len bytes (never 0), not NUL-terminated, borrowed for the call; it holds
 *            no CR and no LF. To stop reading, found returns false.
 *
 * What is not well-formed is read so:
 * - A comment, quoted string or domain literal that is never closed runs to the end of the field,
 *   as in Postfix (global/tok822_parse.c) and in mail clients: what stands inside is never taken
 *   for an address.
 * - `Joe joe@x` and `a@x b@y`, without the angle brackets or the comma, give joe@x, and a@x and
 *   b@y. Where an angle address follows, all words before it are the display name.
 * - `<joe doe@x>` has the local part `joe doe`; a backslash outside quotes still quotes one byte.
 * - Words after an angle address, up to the next comma, are ignored.
 * - A word without domain is given only where it stands alone between commas, and not if it holds
 *   a quoted `@`, since its internal form would look like another address.
 *
 * All addresses of one field together are at most value_len bytes.
 * Returns false if found stopped the reading or memory ran out, else true.
 */
bool address_read(const char *value, size_t value_len,
                  bool (*found)(void *arg, const char *addr, size_t addr_len),
                  void *arg) PEG_MUST_USE;

#endif
