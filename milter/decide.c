/* decide - claim the routing keys of one message's recipients, and say which way it goes */
#include "milter/decide.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "table/respell.h"

/* For each recipient that it takes out Postfix reads the whole envelope; spares double that. */
enum { SPARES_MAX = 50 };

typedef enum table_claim claim_fn(void *arg, const char *key, int priority);

static int highest_priority(const struct decide_recipient *recipients, size_t count)
{
    int highest = recipients[0].priority;

    for (size_t n = 1; n < count; n++)
        if (recipients[n].priority > highest)
            highest = recipients[n].priority;
    return highest;
}

static bool all_one_priority(const struct decide_recipient *recipients, size_t count)
{
    for (size_t n = 1; n < count; n++)
        if (recipients[n].priority != recipients[0].priority)
            return false;
    return true;
}

static int compare_mailboxes(const void *left, const void *right)
{
    const struct decide_recipient *a = *(const struct decide_recipient *const *)left;
    const struct decide_recipient *b = *(const struct decide_recipient *const *)right;
    int order = strcasecmp(a->given, b->given);

    if (order == 0)
        order = strcasecmp(a->params, b->params);
    return order != 0 ? order : (a > b) - (a < b); /* all are in one array */
}

/*
 * Claim a spelling from *n on, which is moved behind it. Returns NULL where none is left. That the
 * table is full is no end: a spelling that lives with this priority needs no room.
 */
static char *claim_spelling(const struct decide_recipient *recipient, uint32_t *n, claim_fn *claim,
                            void *arg)
{
    uint32_t spellings = respell_count(recipient->key);
    char *spelling = *n <= spellings ? malloc(strlen(recipient->key) + 1) : NULL;

    while (spelling != NULL && *n <= spellings) {
        respell(recipient->key, (*n)++, spelling);
        if (claim(arg, spelling, recipient->priority) == TABLE_CLAIMED)
            return spelling;
    }
    free(spelling);
    return NULL;
}

static bool replace(struct decide_recipient *recipient, bool with_spare, claim_fn *claim, void *arg)
{
    /* The key itself is a spelling, too, where Postfix may not have used it to the letter. */
    uint32_t n = recipient->source == ROUTING_KEY_EXACT ? 1 : 0;

    if (recipient->source == ROUTING_KEY_GUESS)
        return false;
    recipient->spelling = claim_spelling(recipient, &n, claim, arg);
    if (recipient->spelling == NULL)
        return false;
    if (with_spare)
        recipient->spare = claim_spelling(recipient, &n, claim, arg);
    return true;
}

/*
 * Postfix keeps one of recipients that differ in letter case only, the first (cleanup's duplicate
 * filter, src/cleanup/cleanup_out_recipient.c). What replaces a later one would arrive beside it.
 */
static bool claim_spellings(struct decide_recipient *recipients, size_t count, claim_fn *claim,
                            void *arg)
{
    struct decide_recipient **sorted = malloc(count * sizeof *sorted);
    bool done = sorted != NULL;
    size_t replaced = 0;

    for (size_t n = 0; done && n < count; n++) {
        sorted[n] = &recipients[n];
        replaced += recipients[n].replace;
    }
    if (done)
        qsort(sorted, count, sizeof *sorted, compare_mailboxes);
    for (size_t n = 0; done && n < count; n++) {
        bool repeated = n > 0 && strcasecmp(sorted[n]->given, sorted[n - 1]->given) == 0 &&
                        strcasecmp(sorted[n]->params, sorted[n - 1]->params) == 0;

        if (sorted[n]->replace && !repeated)
            done = replace(sorted[n], replaced <= SPARES_MAX, claim, arg);
    }
    free(sorted);
    return done;
}

struct decide_result decide(struct decide_recipient *recipients, size_t count, claim_fn *claim,
                            void *arg)
{
    struct decide_result result = {.way = DECIDE_PLAIN};
    bool conflict = false;

    for (size_t n = 0; n < count; n++) {
        enum table_claim claimed = TABLE_CONFLICT;

        if (recipients[n].source == ROUTING_KEY_EXACT)
            claimed = claim(arg, recipients[n].key, recipients[n].priority);
        recipients[n].replace = claimed != TABLE_CLAIMED;
        conflict = conflict || recipients[n].replace;
        result.table_full = result.table_full || claimed == TABLE_FULL;
    }
    if (!conflict)
        return result;
    if (!all_one_priority(recipients, count) && claim_spellings(recipients, count, claim, arg)) {
        result.way = DECIDE_RESPELL;
    } else {
        result.way = DECIDE_FILTER;
        result.filter_priority = highest_priority(recipients, count);
    }
    return result;
}

void decide_free(struct decide_recipient *recipients, size_t count)
{
    for (size_t n = 0; n < count; n++) {
        free(recipients[n].spelling);
        free(recipients[n].spare);
        recipients[n].spelling = recipients[n].spare = NULL;
    }
}

const char *decide_way_name(enum decide_way way)
{
    static const char *const names[] = {"plain", "filter", "respell"};

    return names[way];
}
