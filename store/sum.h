/*
 * sum - the checksum of what is kept on disk
 *
 * SipHash-2-4 (libsodium's crypto_shorthash) with a key of zeros: it finds damage, it is no secret.
 * Pure; thread-safe.
 */
#ifndef PEG_SUM_H
#define PEG_SUM_H

#include <stddef.h>
#include <stdint.h>

enum { SUM_TEXT_LEN = 16 }; /* a sum as hexadecimal digits */

uint64_t sum_of(const void *bytes, size_t len);

/* The sum as SUM_TEXT_LEN lower-case digits and a NUL. */
void sum_print(uint64_t sum, char text_r[SUM_TEXT_LEN + 1]);

#endif
