/*
 * fuzz_command - any bytes as a command line, and as what a message says
 *
 * Checks what must hold for every input: words or a reason, never both nor neither; and the facts
 * change neither the number of words nor the first of them.
 */
#include "lib/command.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static size_t count(char *const *words)
{
    size_t n = 0;

    while (words[n] != NULL)
        n++;
    return n;
}

/* The line, then a NUL, then a fact. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const nothing[FACT_NUMBER] = {"", "", "", "", "", "", ""};
    char *line = malloc(size + 2);
    char why[COMMAND_WHY_SIZE] = "";
    const char *facts[FACT_NUMBER];

    check(line != NULL);
    memcpy(line, data, size);
    memset(line + size, 0, 2);
    for (int i = 0; i < FACT_NUMBER; i++)
        facts[i] = line + strlen(line) + 1;

    char **plain = command_split(line, nothing, why);
    char **told = command_split(line, facts, why);

    check((plain == NULL) == (told == NULL));
    check((plain == NULL) == (why[0] != '\0'));
    if (plain != NULL) {
        check(count(plain) > 0 && plain[0][0] != '\0');
        check(count(plain) == count(told) && strcmp(plain[0], told[0]) == 0);
    }
    command_free(&plain);
    command_free(&told);
    free(line);
    return 0;
}
