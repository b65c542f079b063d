/* rules - the compiled rules, indexed by source, and matching */
#include "milter/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "milter/rules_internal.h"

enum {
    /* Enough for every sensible pattern; a value that backtracks for longer is an attack. */
    MATCH_LIMIT = 200000,
    HEAP_LIMIT_KIB = 16384,
    JIT_STACK_MIN = 32 * 1024, /* as much as PCRE2 takes of the thread's own */
    JIT_STACK_MAX = 512 * 1024
};

struct rules_matcher {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack; /* once a value has wanted more than the thread's own has for it */
};

static int compare_sources(const void *left, const void *right, void *arg)
{
    const struct rules *rules = arg;
    const size_t *a = left, *b = right;
    int order = strcasecmp(rules->rules[*a].source, rules->rules[*b].source);

    return order != 0 ? order : (*a > *b) - (*a < *b);
}

static bool list_macros(struct rules *rules)
{
    size_t size = 1;
    const char *last = "";

    for (size_t n = 0; n < rules->count; n++)
        size += strlen(rules->rules[n].source) + 1;
    if ((rules->macros = calloc(1, size)) == NULL)
        return false;
    for (size_t n = 0; n < rules->count; n++) {
        const char *source = rules->rules[rules->by_source[n]].source;

        if (*source != '{' || strcmp(source, last) == 0 ||
            strcmp(source, RULES_RECIPIENT_MACRO) == 0)
            continue;
        if (*last != '\0')
            strcat(rules->macros, " ");
        strcat(rules->macros, source);
        last = source;
    }
    return true;
}

bool rules_index(struct rules *rules)
{
    rules->by_source = calloc(rules->count + 1, sizeof *rules->by_source);
    if (rules->by_source == NULL)
        return false;
    for (size_t n = 0; n < rules->count; n++)
        rules->by_source[n] = n;
    qsort_r(rules->by_source, rules->count, sizeof *rules->by_source, compare_sources, rules);
    return list_macros(rules);
}

void rules_free(struct rules **rules_ptr)
{
    struct rules *rules = *rules_ptr;

    *rules_ptr = NULL;
    if (rules == NULL)
        return;
    for (size_t n = 0; n < rules->count; n++) {
        free(rules->rules[n].source);
        free(rules->rules[n].pattern);
        pcre2_code_free(rules->rules[n].code);
    }
    free(rules->rules);
    free(rules->by_source);
    free(rules->macros);
    free(rules);
}

size_t rules_count(const struct rules *rules)
{
    return rules->count;
}

int rules_priority_count(const struct rules *rules)
{
    return rules->priority_count;
}

const struct rule *rules_get(const struct rules *rules, size_t index)
{
    return &rules->rules[index];
}

static int compare_with(const struct rules *rules, size_t place, const char *source)
{
    return strcasecmp(rules->rules[rules->by_source[place]].source, source);
}

/* Most headers have no rules, and cost one search. */
const size_t *rules_for(const struct rules *rules, const char *source, size_t *count_r)
{
    size_t first = 0, behind = rules->count;

    while (first < behind) {
        size_t middle = first + (behind - first) / 2;

        if (compare_with(rules, middle, source) < 0)
            first = middle + 1;
        else
            behind = middle;
    }
    while (behind < rules->count && compare_with(rules, behind, source) == 0)
        behind++;
    *count_r = behind - first;
    return *count_r > 0 ? rules->by_source + first : NULL;
}

const char *rules_macros(const struct rules *rules)
{
    return rules->macros;
}

struct rules_matcher *rules_matcher_new(void)
{
    struct rules_matcher *matcher = calloc(1, sizeof *matcher);

    if (matcher == NULL)
        return NULL;
    matcher->data = pcre2_match_data_create(1, NULL);
    matcher->context = pcre2_match_context_create(NULL);
    if (matcher->data == NULL || matcher->context == NULL) {
        rules_matcher_free(&matcher);
        return NULL;
    }
    pcre2_set_match_limit(matcher->context, MATCH_LIMIT);
    pcre2_set_heap_limit(matcher->context, HEAP_LIMIT_KIB);
    return matcher;
}

void rules_matcher_free(struct rules_matcher **matcher_ptr)
{
    struct rules_matcher *matcher = *matcher_ptr;

    *matcher_ptr = NULL;
    if (matcher == NULL)
        return;
    pcre2_match_data_free(matcher->data);
    pcre2_match_context_free(matcher->context);
    pcre2_jit_stack_free(matcher->stack);
    free(matcher);
}

/* Not for every session: the memory is mapped for it, and hardly a pattern needs it. */
static bool enlarge_stack(struct rules_matcher *matcher)
{
    if (matcher->stack != NULL)
        return false;
    matcher->stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL);
    if (matcher->stack == NULL)
        return false;
    pcre2_jit_stack_assign(matcher->context, NULL, matcher->stack);
    return true;
}

static int match(const struct rule *rule, struct rules_matcher *matcher, const char *value,
                 size_t value_len, uint32_t options)
{
    return pcre2_match(rule->code, (PCRE2_SPTR)value, value_len, 0, options, matcher->data,
                       matcher->context);
}

int rules_match(const struct rule *rule, struct rules_matcher *matcher, const char *value,
                size_t value_len, char why_r[RULES_WHY_SIZE])
{
    int result = match(rule, matcher, value, value_len, 0);

    if (result == PCRE2_ERROR_JIT_STACKLIMIT && enlarge_stack(matcher))
        result = match(rule, matcher, value, value_len, 0);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) /* the interpreter has more room, and a limit, too */
        result = match(rule, matcher, value, value_len, PCRE2_NO_JIT);
    if (result >= 0) /* 0: there were more groups than the match data holds */
        return 1;
    if (result == PCRE2_ERROR_NOMATCH)
        return 0;
    pcre2_get_error_message(result, (PCRE2_UCHAR *)why_r, RULES_WHY_SIZE);
    return -1;
}
