/* classify - from a message's headers and macros to a priority for each recipient */
#include "milter/classify.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/probe.h"
#include "milter/address_set.h"

enum {
    KIND_TO,
    KIND_CC,
    KINDS,
    /* Before a milter sees it, Postfix cuts a header at 60000 bytes, or at the end of a line within
     * the last tenth of that (KLUDGE_HEADER_LIMIT, src/cleanup/cleanup_message.c; cleanup_out.c).
     */
    CUT_MIN_LEN = 54000
};

struct classify {
    const struct rules *rules;
    struct rules_matcher *matcher;
    struct address_set *primary; /* of this message's To and Resent-To; NULL until there is one */
    bool primary_cut;            /* there may have been more in To */
    bool may_be_probe;
    int default_priority;
    size_t best[KINDS]; /* index + 1 of the last rule that matched; 0: none */
    char *unfolded;     /* room for a value */
    size_t unfolded_size;
    void (*gave_up)(void *arg, const struct rule *rule, const char *why);
    void *arg;
};

struct classify *classify_new(void)
{
    struct classify *classify = calloc(1, sizeof *classify);

    if (classify != NULL && (classify->matcher = rules_matcher_new()) == NULL)
        classify_free(&classify);
    return classify;
}

void classify_free(struct classify **classify_ptr)
{
    struct classify *classify = *classify_ptr;

    *classify_ptr = NULL;
    if (classify == NULL)
        return;
    rules_matcher_free(&classify->matcher);
    address_set_free(&classify->primary);
    free(classify->unfolded);
    free(classify);
}

void classify_begin(struct classify *classify, const struct rules *rules, int default_priority,
                    void (*gave_up)(void *arg, const struct rule *rule, const char *why), void *arg)
{
    address_set_free(&classify->primary);
    classify->primary_cut = classify->may_be_probe = false;
    classify->rules = rules;
    classify->default_priority = default_priority;
    classify->best[KIND_TO] = classify->best[KIND_CC] = 0;
    classify->gave_up = gave_up;
    classify->arg = arg;
}

size_t classify_unfold(const char *value, size_t value_len, char *result_r)
{
    size_t len = 0;

    for (size_t n = 0; n < value_len; n++) {
        bool blank = value[n] == ' ' || value[n] == '\t';

        if (value[n] != '\r' && value[n] != '\n' && !(blank && len == 0))
            result_r[len++] = value[n];
    }
    while (len > 0 && (result_r[len - 1] == ' ' || result_r[len - 1] == '\t'))
        len--;
    result_r[len] = '\0';
    return len;
}

static bool applies(const struct rule *rule, int kind)
{
    return rule->recipients == RULES_ALL || (rule->recipients == RULES_TO) == (kind == KIND_TO);
}

static bool matches(struct classify *classify, const struct rule *rule, const char *value,
                    size_t value_len)
{
    char why[RULES_WHY_SIZE];
    int result = rules_match(rule, classify->matcher, value, value_len, why);

    if (result < 0 && classify->gave_up != NULL)
        classify->gave_up(classify->arg, rule, why);
    return result == 1;
}

/* Test the rules of one source from the last to the first, while they could still win. */
static void test_rules(struct classify *classify, const size_t *indexes, size_t count,
                       const char *value, size_t value_len)
{
    size_t *best = classify->best;

    while (count-- > 0) {
        size_t index = indexes[count];
        const struct rule *rule = rules_get(classify->rules, index);
        bool wins_to = applies(rule, KIND_TO) && index + 1 > best[KIND_TO];
        bool wins_cc = applies(rule, KIND_CC) && index + 1 > best[KIND_CC];

        if ((!wins_to && !wins_cc) || !matches(classify, rule, value, value_len))
            continue;
        if (wins_to)
            best[KIND_TO] = index + 1;
        if (wins_cc)
            best[KIND_CC] = index + 1;
    }
}

void classify_macro(struct classify *classify, const char *name, const char *value)
{
    size_t count;
    const size_t *indexes = rules_for(classify->rules, name, &count);

    test_rules(classify, indexes, count, value, strlen(value));
}

void classify_envelope(struct classify *classify, const char *sender, size_t recipient_count)
{
    classify->may_be_probe = probe_can_be(sender, recipient_count);
}

static bool add_primary(struct classify *classify, const char *name, const char *value,
                        size_t value_len)
{
    if (strlen(name) + strlen(": ") + value_len >= CUT_MIN_LEN)
        classify->primary_cut = true;
    if (classify->primary == NULL && (classify->primary = address_set_new()) == NULL)
        return false;
    return address_set_add_field(classify->primary, value, value_len);
}

bool classify_header(struct classify *classify, const char *name, const char *value,
                     size_t value_len)
{
    size_t count;
    const size_t *indexes = rules_for(classify->rules, name, &count);

    if ((strcasecmp(name, "To") == 0 || strcasecmp(name, "Resent-To") == 0) &&
        !add_primary(classify, name, value, value_len))
        return false;
    if (count == 0)
        return true;
    if (value_len + 1 > classify->unfolded_size) {
        char *larger = realloc(classify->unfolded, value_len + 1);

        if (larger == NULL)
            return false;
        classify->unfolded = larger;
        classify->unfolded_size = value_len + 1;
    }
    value_len = classify_unfold(value, value_len, classify->unfolded);
    test_rules(classify, indexes, count, classify->unfolded, value_len);
    return true;
}

/* The last rule on the recipient itself that matches and stands behind all that matched so far. */
static size_t best_of_recipient(struct classify *classify, int kind, const char *macro)
{
    size_t count, best = classify->best[kind];
    const size_t *indexes = rules_for(classify->rules, RULES_RECIPIENT_MACRO, &count);

    while (count-- > 0 && indexes[count] + 1 > best) {
        const struct rule *rule = rules_get(classify->rules, indexes[count]);

        if (applies(rule, kind) && matches(classify, rule, macro, strlen(macro)))
            return indexes[count] + 1;
    }
    return best;
}

static struct classify_verdict verdict_of_kind(struct classify *classify, int kind,
                                               const char *macro)
{
    size_t best = macro != NULL ? best_of_recipient(classify, kind, macro) : classify->best[kind];
    struct classify_verdict verdict = {.primary = kind == KIND_TO,
                                       .priority = classify->default_priority};

    if (best > 0) {
        verdict.rule = rules_get(classify->rules, best - 1);
        verdict.priority = verdict.rule->priority;
    }
    return verdict;
}

struct classify_verdict classify_recipient(struct classify *classify, const char *given,
                                           const char *resolved, const char *macro)
{
    struct address_set *primary = classify->primary;
    bool named =
        primary != NULL && (address_set_has(primary, resolved) || address_set_has(primary, given));
    struct classify_verdict verdict = verdict_of_kind(classify, named ? KIND_TO : KIND_CC, macro);
    int probed = classify->may_be_probe
                     ? probe_priority(resolved, rules_priority_count(classify->rules))
                     : -1;

    if (probed >= 0)
        return (struct classify_verdict){.primary = named, .priority = probed};
    if (!named && classify->primary_cut) {
        struct classify_verdict other = verdict_of_kind(classify, KIND_TO, macro);

        if (other.priority > verdict.priority)
            return other;
    }
    return verdict;
}
