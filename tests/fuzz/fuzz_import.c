/*
 * fuzz_import - any bytes as a rule file in the original's syntax
 *
 * Checks what must hold for every input: the result is a rules file that peg-milter takes, text
 * without control characters, and everything that was reported stands in it as a comment.
 */
#include "import/import.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/settings.h"
#include "milter/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void emit_report(void *arg, const char *text)
{
    unsigned *lines = arg;

    check(strchr(text, '\n') == NULL);
    *lines += strncmp(text, "f: there is no table", 20) != 0;
}

static void emit_warning(void *arg, const char *text)
{
    (void)arg;
    check(strstr(text, "warning: PRIORITY_COUNT=5 gives") != NULL);
}

static void emit_fault(void *arg, const char *text)
{
    (void)arg;
    (void)text;
    check(false);
}

static void check_result(const char *text, unsigned reported)
{
    struct diag faults = {.emit = emit_fault};
    struct rules *rules = rules_parse(text, strlen(text), "result", SETTINGS_PRIORITY_MAX, &faults);
    unsigned not_converted = 0;

    check(rules != NULL);
    rules_free(&rules);
    for (const char *at = text; *at != '\0'; at++)
        check((unsigned char)*at >= ' ' || *at == '\n' || *at == '\t');
    for (const char *at = text; (at = strstr(at, "\n# NOT CONVERTED, line ")) != NULL; at++)
        not_converted++;
    check(not_converted >= reported);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned reported = 0;
    struct diag errors = {.emit = emit_report, .arg = &reported};
    struct diag warnings = {.emit = emit_warning};
    struct import_source source = {
        .text = (const char *)data, .text_len = size, .file = "f", .priority_count = 5};
    char *result = import_rules(&source, &errors, &warnings);

    check((result == NULL) == (size > 0 && memchr(data, '\0', size) != NULL));
    if (result != NULL)
        check_result(result, reported);
    else
        check(reported == 1);
    free(result);
    return 0;
}
