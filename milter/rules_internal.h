/* rules_internal - what the reader of rules and the compiled rules share, and nobody else */
#ifndef PEG_RULES_INTERNAL_H
#define PEG_RULES_INTERNAL_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "milter/rules.h"

struct rules {
    struct rule *rules; /* in file order */
    size_t count;
    size_t *by_source; /* indexes into rules, by source without case, then ascending */
    char *macros;
    int priority_count;
};

/* Build the index once all rules are there. false: out of memory. */
bool rules_index(struct rules *rules) PEG_MUST_USE;

#endif
