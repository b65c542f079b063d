/*
 * address_print - print the addresses of header field values, for tests and for use by hand.
 *
 * Reads standard input to its end. It is one field value, or many, separated by NUL bytes. Prints
 * each address on a line, and a NUL byte between the addresses of one value and those of the next.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "milter/address.h"

static bool print_line(void *arg, const char *addr, size_t addr_len)
{
    (void)arg;
    return fwrite(addr, 1, addr_len, stdout) == addr_len && putchar('\n') != EOF;
}

static bool print_all(const char *input, size_t input_len)
{
    const char *end = input + input_len;
    const char *value_end;

    while ((value_end = memchr(input, '\0', (size_t)(end - input))) != NULL) {
        if (!address_read(input, (size_t)(value_end - input), print_line, NULL))
            return false;
        putchar('\0');
        input = value_end + 1;
    }
    return address_read(input, (size_t)(end - input), print_line, NULL);
}

int main(void)
{
    char *input = NULL;
    size_t size = 0;
    size_t input_len = 0;
    bool ok = true;

    do {
        if (input_len == size) {
            char *larger = realloc(input, size = size * 2 + 4096);

            if (larger == NULL) {
                free(input);
                return EXIT_FAILURE;
            }
            input = larger;
        }
        input_len += fread(input + input_len, 1, size - input_len, stdin);
    } while (!feof(stdin) && !ferror(stdin));
    ok = !ferror(stdin) && print_all(input, input_len) && fflush(stdout) == 0;
    free(input);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
