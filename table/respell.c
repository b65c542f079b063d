/* respell - the same address with other letter case in its domain */
#include "table/respell.h"

#include <stdbool.h>
#include <string.h>

#include "table/routing_key.h"

/* Every priority that a mailbox is in use with takes one spelling: 2^10 are plenty. */
enum { LETTERS_MAX = 10, CASE_BIT = 'a' ^ 'A' };

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

uint32_t respell_count(const char *address)
{
    const char *domain = routing_key_domain(address);
    uint32_t letters = 0;

    if (*domain == '[')
        return 0;
    for (; *domain != '\0' && letters < LETTERS_MAX; domain++)
        letters += is_letter(*domain);
    return (1U << letters) - 1;
}

void respell(const char *address, uint32_t n, char *spelling_r)
{
    char *c = spelling_r + (routing_key_domain(address) - address);

    strcpy(spelling_r, address);
    for (; *c != '\0' && n != 0; c++) {
        if (!is_letter(*c))
            continue;
        if ((n & 1) != 0)
            *c ^= CASE_BIT;
        n >>= 1;
    }
}
