/* fuzz_routing_key - a routing key says the same address as what it was made from, and spells it */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "table/respell.h"
#include "table/routing_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *external = malloc(size + 1);
    char *internal, *key, *again, *spelling;

    memcpy(external, data, size);
    external[size] = '\0';
    internal = routing_key_internal(external);
    require(internal != NULL && strlen(internal) <= strlen(external));
    key = routing_key_format(internal);
    again = routing_key_internal(key);
    require(strcmp(again, internal) == 0);
    spelling = malloc(strlen(key) + 1);
    for (uint32_t n = 1; n <= respell_count(key); n += 97) {
        respell(key, n, spelling);
        require(strcmp(spelling, key) != 0 && strcasecmp(spelling, key) == 0);
    }
    free(external);
    free(internal);
    free(key);
    free(again);
    free(spelling);
    return 0;
}
