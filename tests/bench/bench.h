/*
 * bench - what the programs that measure have in common
 *
 * Each prints its figures as `name value` lines; a name comes once for each round. What they
 * measure is judged elsewhere (tests/bench/figures.py).
 */
#ifndef PEG_BENCH_H
#define PEG_BENCH_H

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/attr.h"

enum { KEY_SIZE = 64 };

static inline double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Say what went wrong, and exit. */
static inline void PEG_PRINTF(1, 2) PEG_NORETURN give_up(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static inline void print_seconds(const char *name, double seconds)
{
    printf("%s %.6f\n", name, seconds);
    fflush(stdout);
}

static inline void print_count(const char *name, uint64_t count)
{
    printf("%s %" PRIu64 "\n", name, count);
    fflush(stdout);
}

/* An argument that is a number. */
static inline unsigned number_of(const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (!isdigit((unsigned char)*text) || *end != '\0' || number > 1000000000)
        give_up("'%s' is no number", text);
    return (unsigned)number;
}

/* The nth routing key, about 25 bytes; returns its length. */
static inline size_t make_key(char key_r[KEY_SIZE], unsigned n)
{
    static const char *const names[] = {"bob", "anna.meier", "ward",  "j.smith",
                                        "ops", "carol",      "x.ray", "desk"};
    static const char *const domains[] = {"clinic.example", "dest.example", "army.example",
                                          "news.dest.example", "shop.example"};
    int len = snprintf(key_r, KEY_SIZE, "%s%u@%s", names[n % (sizeof names / sizeof *names)], n,
                       domains[n % (sizeof domains / sizeof *domains)]);

    if (len < 0 || len >= KEY_SIZE)
        give_up("key %u is too long", n);
    return (size_t)len;
}

/* Claims of one routing key always have the same priority here. */
static inline int priority_of_key(unsigned n)
{
    return (int)(n / 7 % 5);
}

#endif
