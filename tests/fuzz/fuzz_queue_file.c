/*
 * fuzz_queue_file - any bytes as a queue file
 *
 * Checks what must hold for every input: times and numbers within their range, and no answer that
 * changes with bytes that follow the end of the envelope.
 */
#include "survey/queue_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char end[] = "M\0C\005 1 2 /\0";
    char *longer = malloc(size + sizeof end);
    struct queue_file file = {.octets = 17}, again = {.octets = 18};
    bool is_message = queue_file_parse((const char *)data, size, &file);

    check(longer != NULL);
    check(is_message || file.octets == 17);
    check(!is_message || (file.arrival_ms >= 0 && (file.has_size || file.octets == 0)));
    check(!is_message || file.octets <= INT64_MAX / 1000);
    memcpy(longer, data, size);
    memcpy(longer + size, end, sizeof end);
    /* The end may complete a record that was cut off, which then says something. */
    if (is_message && file.has_size) {
        check(queue_file_parse(longer, size + sizeof end, &again));
        check(again.octets == file.octets);
        check(file.arrival_ms == 0 || again.arrival_ms == file.arrival_ms);
    }
    free(longer);
    return 0;
}
