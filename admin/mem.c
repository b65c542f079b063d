/* mem - memory for tools that run once: a failed allocation ends the program */
#include "admin/mem.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

void *mem_resize(void *old, size_t count, size_t size)
{
    void *memory = reallocarray(old, count > 0 ? count : 1, size);

    if (memory == NULL)
        log_fatal("out of memory");
    return memory;
}

char *mem_dup_len(const char *text, size_t len)
{
    char *copy = strndup(text, len);

    if (copy == NULL)
        log_fatal("out of memory");
    return copy;
}

char *mem_dup(const char *text)
{
    return mem_dup_len(text, strlen(text));
}

char *mem_printf(const char *fmt, ...)
{
    char *text;
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&text, fmt, args) < 0)
        log_fatal("out of memory");
    va_end(args);
    return text;
}

FILE *mem_stream(char **text, size_t *len)
{
    FILE *stream = open_memstream(text, len);

    if (stream == NULL)
        log_fatal("out of memory");
    return stream;
}

void mem_stream_end(FILE *stream)
{
    bool failed = ferror(stream) != 0;

    if (fclose(stream) != 0 || failed)
        log_fatal("out of memory");
}
