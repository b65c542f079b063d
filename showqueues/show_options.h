/* show_options - the command line of peg-showqueues */
#ifndef PEG_SHOW_OPTIONS_H
#define PEG_SHOW_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/options.h"
#include "survey/limits.h"

/* What --check complains of beyond, in each queue; SHOW_NO_LEVEL: nothing. */
enum { SHOW_NO_LEVEL = -1 };
struct show_levels {
    int64_t warning[LIMIT_COUNT];
    int64_t critical[LIMIT_COUNT];
};

enum { SHOW_UNKNOWN = 3 }; /* exit status of monitoring plugins, see showqueues/show_check.h */

struct show_options {
    struct options common;
    bool age;
    bool json;
    bool check;
    bool destinations;
    size_t limit;  /* of --destinations; 0: all of them */
    int watch_s;   /* 0: once, and that is all */
    bool is_whole; /* there is no --instance */
    int instance;  /* of --instance, PEG_FIRST and up */
    struct show_levels levels;
};

/*
 * Read it. Exits where it is wrong, with SHOW_UNKNOWN where --check stands in it, since 1 and 2
 * mean another thing to who runs that.
 */
void show_options_read(struct show_options *options_r, const char *usage, int argc, char **argv);

#endif
