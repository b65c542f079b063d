/* pairs - an ordered list of names with values */
#include "admin/pairs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/mem.h"
#include "lib/log.h"

void pairs_deinit(struct pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->items[i].name);
        free(pairs->items[i].value);
    }
    free(pairs->items);
    *pairs = (struct pairs){0};
}

static struct pair *find(const struct pairs *pairs, const char *name)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (strcmp(pairs->items[i].name, name) == 0)
            return &pairs->items[i];
    return NULL;
}

void pairs_add(struct pairs *pairs, const char *name, const char *value)
{
    pairs->items = mem_resize(pairs->items, pairs->count + 1, sizeof *pairs->items);
    pairs->items[pairs->count++] = (struct pair){.name = mem_dup(name), .value = mem_dup(value)};
}

void pairs_add_all(struct pairs *pairs, const struct pairs *more)
{
    for (size_t i = 0; i < more->count; i++)
        pairs_add(pairs, more->items[i].name, more->items[i].value);
}

void pairs_set(struct pairs *pairs, const char *name, const char *value)
{
    struct pair *pair = find(pairs, name);

    if (pair != NULL) {
        char *copy = mem_dup(value);

        free(pair->value);
        pair->value = copy;
        return;
    }
    pairs_add(pairs, name, value);
}

void pairs_setf(struct pairs *pairs, const char *name, const char *fmt, ...)
{
    char *value;
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&value, fmt, args) < 0)
        log_fatal("out of memory");
    va_end(args);
    pairs_set(pairs, name, value);
    free(value);
}

const char *pairs_get(const struct pairs *pairs, const char *name)
{
    const struct pair *pair = find(pairs, name);

    return pair != NULL ? pair->value : NULL;
}

void pairs_remove(struct pairs *pairs, const char *name)
{
    struct pair *pair = find(pairs, name);

    if (pair == NULL)
        return;
    size_t after = pairs->count - (size_t)(pair - pairs->items) - 1;

    free(pair->name);
    free(pair->value);
    memmove(pair, pair + 1, after * sizeof *pair);
    pairs->count--;
}
