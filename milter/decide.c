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
    int order = strcasecmp(a->key, b->key);

    if (order == 0)
        order = strcasecmp(a->given, b->given);
    if (order == 0)
        order = strcasecmp(a->params, b->params);
    return order != 0 ? order : (a > b) - (a < b); /* all are in one array */
}

/* The recipients of one mailbox, sorted. */
struct mailbox {
    struct decide_recipient **recipients;
    size_t count;
};

static bool is_in_use(const struct mailbox *mailbox, const char *spelling)
{
    for (size_t n = 0; n < mailbox->count; n++) {
        const struct decide_recipient *recipient = mailbox->recipients[n];

        if (strcmp(recipient->key, spelling) == 0 ||
            (recipient->spelling != NULL && strcmp(recipient->spelling, spelling) == 0))
            return true;
    }
    return false;
}

/*
 * Claim spelling n, or one behind it, that is not in use in the mailbox (may be NULL). Returns NULL
 * where none is left. That the table is full is no end: a spelling that lives with this priority
 * needs no room.
 */
static char *claim_spelling(const struct decide_recipient *recipient, uint32_t n,
                            const struct mailbox *mailbox, claim_fn *claim, void *arg)
{
    uint32_t spellings = respell_count(recipient->key);
    char *spelling = n <= spellings ? malloc(strlen(recipient->key) + 1) : NULL;

    for (; spelling != NULL && n <= spellings; n++) {
        enum table_claim claimed = TABLE_CONFLICT;

        respell(recipient->key, n, spelling);
        if (mailbox == NULL || !is_in_use(mailbox, spelling))
            claimed = claim(arg, spelling, recipient->priority);
        if (claimed == TABLE_CLAIMED)
            return spelling;
        if (claimed == TABLE_TOO_EARLY)
            break;
    }
    free(spelling);
    return NULL;
}

/* Whether Postfix keeps the first of the two only (src/cleanup/cleanup_out_recipient.c). */
static bool is_repeated(const struct decide_recipient *first, const struct decide_recipient *second)
{
    return strcasecmp(first->given, second->given) == 0 &&
           strcasecmp(first->params, second->params) == 0;
}

/*
 * Claim spellings for the recipients of one mailbox. Of those that Postfix keeps one of, one gets a
 * spelling: what replaced the other would arrive beside it. A spare is nobody else's spelling,
 * since it will be taken out again.
 */
static bool claim_for_mailbox(const struct mailbox *mailbox, bool with_spare, claim_fn *claim,
                              void *arg)
{
    struct decide_recipient **sorted = mailbox->recipients;

    for (size_t n = 0; n < mailbox->count; n++) {
        struct decide_recipient *recipient = sorted[n];
        /* The key is a spelling, too, where Postfix may not have used it to the letter. */
        uint32_t first = recipient->source == ROUTING_KEY_EXACT ? 1 : 0;

        if (!recipient->replace || (n > 0 && is_repeated(sorted[n - 1], recipient)))
            continue;
        if (recipient->source != ROUTING_KEY_GUESS)
            recipient->spelling = claim_spelling(recipient, first, NULL, claim, arg);
        if (recipient->spelling == NULL)
            return false;
    }
    for (size_t n = 0; with_spare && n < mailbox->count; n++)
        if (sorted[n]->spelling != NULL)
            sorted[n]->spare = claim_spelling(sorted[n], 1, mailbox, claim, arg);
    return true;
}

static bool claim_spellings(struct decide_recipient *recipients, size_t count, claim_fn *claim,
                            void *arg)
{
    struct decide_recipient **sorted = malloc(count * sizeof *sorted);
    bool done = sorted != NULL;
    size_t replaced = 0, first = 0;
    struct mailbox mailbox;

    for (size_t n = 0; done && n < count; n++) {
        sorted[n] = &recipients[n];
        replaced += recipients[n].replace;
    }
    if (done)
        qsort(sorted, count, sizeof *sorted, compare_mailboxes);
    for (size_t n = 1; done && n <= count; n++) {
        if (n < count && strcasecmp(sorted[n]->key, sorted[first]->key) == 0)
            continue;
        mailbox = (struct mailbox){sorted + first, n - first};
        done = claim_for_mailbox(&mailbox, replaced <= SPARES_MAX, claim, arg);
        first = n;
    }
    free(sorted);
    return done;
}

struct decide_result decide(struct decide_recipient *recipients, size_t count, claim_fn *claim,
                            void *arg)
{
    struct decide_result result = {.way = DECIDE_PLAIN};
    bool conflict = false, too_early = false;

    for (size_t n = 0; n < count; n++) {
        enum table_claim claimed = TABLE_CONFLICT;

        if (recipients[n].source == ROUTING_KEY_EXACT)
            claimed = claim(arg, recipients[n].key, recipients[n].priority);
        too_early = too_early || claimed == TABLE_TOO_EARLY; /* and for every other spelling */
        recipients[n].replace = claimed != TABLE_CLAIMED;
        conflict = conflict || recipients[n].replace;
        result.table_full = result.table_full || claimed == TABLE_FULL;
    }
    if (!conflict)
        return result;
    if (!too_early && !all_one_priority(recipients, count) &&
        claim_spellings(recipients, count, claim, arg)) {
        result.way = DECIDE_RESPELL;
    } else {
        bool table_full = result.table_full;

        result = decide_filter(recipients, count);
        result.table_full = table_full;
    }
    return result;
}

struct decide_result decide_filter(const struct decide_recipient *recipients, size_t count)
{
    return (struct decide_result){.way = DECIDE_FILTER,
                                  .filter_priority = highest_priority(recipients, count)};
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
