/* sum - the checksum of what is kept on disk */
#include "store/sum.h"

#include <inttypes.h>
#include <stdio.h>

#include <sodium.h>

uint64_t sum_of(const void *bytes, size_t len)
{
    static const unsigned char key[crypto_shorthash_siphash24_KEYBYTES];
    unsigned char digest[crypto_shorthash_siphash24_BYTES];
    uint64_t sum = 0;

    crypto_shorthash_siphash24(digest, bytes, len, key);
    for (size_t n = sizeof digest; n > 0; n--) /* lowest byte first, as SipHash defines it */
        sum = sum << 8 | digest[n - 1];
    return sum;
}

void sum_print(uint64_t sum, char text_r[SUM_TEXT_LEN + 1])
{
    snprintf(text_r, SUM_TEXT_LEN + 1, "%016" PRIx64, sum);
}
