/*
 * import_decide - convert rule files in the original's syntax, and say what the results decide, for
 * the oracle beside it.
 *
 * Reads standard input to its end: fields, each with a NUL byte behind it. A case is a rule file,
 * the number of messages, and for each the name and the value of a header. Prints a line for each
 * case: the number of errors, and for each message the priorities of a To and of a copy recipient,
 * `-` for none, or `?` where a match was given up. With -v the errors go to standard error.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/import.h"
#include "lib/settings.h"
#include "milter/rules.h"

struct input {
    const char *at, *end;
};

static void emit_nothing(void *arg, const char *text)
{
    (void)arg;
    (void)text;
}

static const char *next_field(struct input *input, size_t *len_r)
{
    const char *field = input->at;
    const char *nul = memchr(field, '\0', (size_t)(input->end - field));

    if (nul == NULL)
        exit(EXIT_FAILURE);
    *len_r = (size_t)(nul - field);
    input->at = nul + 1;
    return field;
}

/* The last rule that matches, for recipients of this kind. */
static void decide(const struct rules *rules, struct rules_matcher *matcher, const char *header,
                   const char *value, size_t value_len, enum rules_recipients kind)
{
    size_t count;
    const size_t *indexes = rules_for(rules, header, &count);
    const struct rule *found = NULL;
    char why[RULES_WHY_SIZE];

    for (size_t i = 0; i < count; i++) {
        const struct rule *rule = rules_get(rules, indexes[i]);
        int result = 0;

        if (rule->recipients == RULES_ALL || rule->recipients == kind)
            result = rules_match(rule, matcher, value, value_len, why);
        if (result < 0) {
            fputs(" ?", stdout);
            return;
        }
        if (result == 1)
            found = rule;
    }
    if (found != NULL)
        printf(" %d", found->priority);
    else
        fputs(" -", stdout);
}

static void run_case(struct input *input, struct rules_matcher *matcher, bool verbose)
{
    struct diag errors = {.emit = emit_nothing}, warnings = {.emit = emit_nothing};
    struct diag faults = diag_to_stderr();
    struct import_source source = {.file = "oracle"};
    size_t len;
    char *text;
    struct rules *rules;

    if (verbose)
        errors = diag_to_stderr();
    source.text = next_field(input, &source.text_len);
    text = import_rules(&source, &errors, &warnings);
    rules = rules_parse(text, strlen(text), "result", SETTINGS_PRIORITY_MAX, &faults);
    if (rules == NULL)
        exit(EXIT_FAILURE);
    printf("%u", errors.errors);
    for (int messages = atoi(next_field(input, &len)); messages > 0; messages--) {
        const char *header = next_field(input, &len);
        const char *value = next_field(input, &len);

        decide(rules, matcher, header, value, len, RULES_TO);
        decide(rules, matcher, header, value, len, RULES_CC);
    }
    putchar('\n');
    rules_free(&rules);
    free(text);
}

int main(int argc, char **argv)
{
    enum { INPUT_MAX = 64 * 1024 * 1024 };
    char *bytes = malloc(INPUT_MAX);
    struct rules_matcher *matcher = rules_matcher_new();
    struct input input = {.at = bytes, .end = bytes};

    if (bytes == NULL || matcher == NULL)
        return EXIT_FAILURE;
    input.end = bytes + fread(bytes, 1, INPUT_MAX, stdin);
    if (ferror(stdin) || !feof(stdin))
        return EXIT_FAILURE;
    while (input.at < input.end)
        run_case(&input, matcher, argc > 1 && strcmp(argv[1], "-v") == 0);
    rules_matcher_free(&matcher);
    free(bytes);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
