/*
 * rules - the rules file, /etc/priority-email-gateway.rules: which headers give which priority
 *
 * A rule: source, pattern, recipients, priority. The last rule of the file that matches wins, per
 * recipient. Rules are indexed by source, so that a message costs as much as the rules whose
 * headers it has, not as all rules there are.
 *
 * Rules never change once they are read; any number of threads may match with one set of rules.
 */
#ifndef PEG_RULES_H
#define PEG_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/diag.h"

struct rules;

enum rules_recipients { RULES_ALL, RULES_TO, RULES_CC };

struct rule {
    char *source;  /* header name as written, or macro with its braces */
    char *pattern; /* as written: /.../flags */
    enum rules_recipients recipients;
    int priority;
    unsigned line; /* in the file, from 1 */
    void *code;    /* compiled */
};

/*
 * Parse text (text_len bytes). file is used in reports only. Every bad line is reported to diag as
 * `file:line:column: ...`. Returns NULL where anything was reported or memory ran out.
 */
struct rules *rules_parse(const char *text, size_t text_len, const char *file, int priority_count,
                          struct diag *diag) PEG_MUST_USE;

/* The same from a file; that it cannot be read is reported, too. */
struct rules *rules_load(const char *file, int priority_count, struct diag *diag) PEG_MUST_USE;

void rules_free(struct rules **rules);

size_t rules_count(const struct rules *rules);
const struct rule *rules_get(const struct rules *rules, size_t index);

/* The number of priorities that they were read for. */
int rules_priority_count(const struct rules *rules);

/*
 * The rules that look at source (header name in any case, or macro with braces): indexes into
 * rules_get(), ascending, *count_r of them. NULL with 0 where there are none.
 */
const size_t *rules_for(const struct rules *rules, const char *source, size_t *count_r);

/* The macros that rules look at and that belong to a message, blank separated, for
 * smfi_setsymlist(). */
const char *rules_macros(const struct rules *rules);

/* The macro of a recipient, the only one that may differ between the recipients of a message. */
#define RULES_RECIPIENT_MACRO "{rcpt_addr}"

/* What a thread needs to match: match data and limits. One thread at a time may use it. */
struct rules_matcher;
struct rules_matcher *rules_matcher_new(void) PEG_MUST_USE;
void rules_matcher_free(struct rules_matcher **matcher);

/*
 * Whether a rule's pattern matches value (value_len bytes). 1 yes; 0 no; -1 it was given up,
 * because the pattern backtracked beyond the limit or memory ran out: the reason goes to why_r.
 */
enum { RULES_WHY_SIZE = 128 };
int rules_match(const struct rule *rule, struct rules_matcher *matcher, const char *value,
                size_t value_len, char why_r[RULES_WHY_SIZE]) PEG_MUST_USE;

#endif
