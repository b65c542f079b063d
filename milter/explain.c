/* explain - say what the rules make of a message, without sending it */
#include "milter/explain.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/file.h"
#include "lib/options.h"
#include "milter/address_set.h"
#include "milter/classify.h"
#include "milter/message.h"
#include "milter/policy.h"
#include "table/routing_key.h"

enum { MESSAGE_MAX = 256 * 1024 * 1024 };

struct explanation {
    struct policy *policy;
    struct classify *classify;
    struct rules_matcher *matcher;
    struct address_set *copied; /* of Cc and Resent-Cc */
    bool *matched;              /* of each rule */
};

static void on_gave_up(void *arg, const struct rule *rule, const char *why)
{
    (void)arg;
    printf("rule %u: %s %s is given up and does not match: %s\n", rule->line, rule->source,
           rule->pattern, why);
}

static void note_matches(struct explanation *explanation, const char *source, const char *value)
{
    size_t count;
    const size_t *indexes = rules_for(explanation->policy->rules, source, &count);
    char *unfolded = count > 0 ? malloc(strlen(value) + 1) : NULL;
    char why[RULES_WHY_SIZE];

    if (unfolded == NULL)
        return;
    for (size_t n = 0; n < count; n++) {
        const struct rule *rule = rules_get(explanation->policy->rules, indexes[n]);
        size_t len = classify_unfold(value, strlen(value), unfolded);

        if (rules_match(rule, explanation->matcher, unfolded, len, why) == 1)
            explanation->matched[indexes[n]] = true;
    }
    free(unfolded);
}

static bool on_field(void *arg, const char *name, const char *value)
{
    struct explanation *explanation = arg;

    note_matches(explanation, name, value);
    if ((strcasecmp(name, "Cc") == 0 || strcasecmp(name, "Resent-Cc") == 0) &&
        !address_set_add_field(explanation->copied, value, strlen(value)))
        return false;
    return classify_header(explanation->classify, name, value, strlen(value));
}

static void take_macro(struct explanation *explanation, const char *name, const char *value)
{
    if (value == NULL)
        return;
    note_matches(explanation, name, value);
    classify_macro(explanation->classify, name, value);
}

/* An IPv6 address may be given with or without the `IPv6:` that Postfix has before it. */
static void take_client(struct explanation *explanation, const char *client)
{
    static const char prefix[] = "IPv6:";
    bool bare = client != NULL && strchr(client, ':') != NULL &&
                strncasecmp(client, prefix, strlen(prefix)) != 0;
    char value[64];

    if (bare)
        snprintf(value, sizeof value, "%s%s", prefix, client);
    take_macro(explanation, "{client_addr}", bare ? value : client);
}

static bool explain_recipient(struct explanation *explanation, const char *recipient)
{
    char *internal = routing_key_internal(recipient);
    struct classify_verdict verdict;
    char instance[SETTINGS_NAME_SIZE];
    const char *kind;

    if (internal == NULL)
        return false;
    verdict = classify_recipient(explanation->classify, internal, internal, recipient);
    kind = address_set_has(explanation->copied, internal) ? "cc" : "bcc";
    settings_instance_name(verdict.priority, instance);
    printf("%s: %s, ", recipient, verdict.primary ? "to" : kind);
    if (verdict.rule != NULL)
        printf("rule %u (%s %s)", verdict.rule->line, verdict.rule->source, verdict.rule->pattern);
    else
        printf("no rule");
    printf(", priority %d, instance %s\n", verdict.priority, instance);
    free(internal);
    return true;
}

static bool explain_all(struct explanation *explanation, const struct explain_request *request,
                        char *text, size_t text_len)
{
    static const char *const names[] = {"all", "to", "cc"};
    const struct rules *rules = explanation->policy->rules;

    classify_begin(explanation->classify, rules, explanation->policy->settings->default_priority,
                   on_gave_up, NULL);
    take_macro(explanation, "{mail_addr}", request->sender);
    take_client(explanation, request->client);
    take_macro(explanation, "{auth_authen}", request->auth);
    classify_envelope(explanation->classify, request->sender, request->recipient_count);
    if (!message_read_header(text, text_len, on_field, explanation))
        return false;
    for (size_t n = 0; n < request->recipient_count; n++)
        note_matches(explanation, RULES_RECIPIENT_MACRO, request->recipients[n]);
    for (size_t n = 0; n < rules_count(rules); n++) {
        const struct rule *rule = rules_get(rules, n);

        if (explanation->matched[n])
            printf("rule %u matches: %s %s %s %d\n", rule->line, rule->source, rule->pattern,
                   names[rule->recipients], rule->priority);
    }
    for (size_t n = 0; n < request->recipient_count; n++)
        if (!explain_recipient(explanation, request->recipients[n]))
            return false;
    return true;
}

int explain(const struct explain_request *request)
{
    struct diag diag = diag_to_stderr();
    struct explanation explanation = {.policy = policy_load(request->root, &diag)};
    size_t text_len;
    char *text;
    bool done = false;

    if (explanation.policy == NULL)
        return EXIT_FAILED;
    if ((text = file_read("/dev/stdin", MESSAGE_MAX, &text_len)) == NULL) {
        fprintf(stderr, "standard input: %s\n", strerror(errno));
        policy_release(&explanation.policy);
        return EXIT_FAILED;
    }
    explanation.classify = classify_new();
    explanation.matcher = rules_matcher_new();
    explanation.copied = address_set_new();
    explanation.matched = calloc(rules_count(explanation.policy->rules) + 1, sizeof(bool));
    if (explanation.classify != NULL && explanation.matcher != NULL && explanation.copied != NULL &&
        explanation.matched != NULL)
        done = explain_all(&explanation, request, text, text_len);
    if (!done)
        fprintf(stderr, "peg-explain: out of memory\n");
    free(text);
    free(explanation.matched);
    address_set_free(&explanation.copied);
    rules_matcher_free(&explanation.matcher);
    classify_free(&explanation.classify);
    policy_release(&explanation.policy);
    return done ? EXIT_DONE : EXIT_FAILED;
}
