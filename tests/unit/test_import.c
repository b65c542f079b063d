/* test_import - rule files of the original: what they become, and what of them is reported */
#include "import/import.h"

#include <stdlib.h>
#include <string.h>

#include "admin/mem.h"
#include "lib/file.h"
#include "lib/settings.h"
#include "milter/rules.h"
#include "tests/unit/report.h"
#include "tests/unit/unit.h"

/* The result, which the reader of rules must take, or NULL; reports go to report. */
static char *import_bytes(const char *text, size_t len, const char *file, struct report *report)
{
    struct diag silent = {.emit = report_emit, .arg = report};
    struct import_source source = {.text = text, .text_len = len, .file = file};
    char *result;

    report_init(report);
    result = import_rules(&source, &report->diag, &silent);
    if (result != NULL) {
        struct report faults;
        struct rules *rules;

        report_init(&faults);
        rules = rules_parse(result, strlen(result), "result", SETTINGS_PRIORITY_MAX, &faults.diag);
        assert_string_equal(faults.text, "");
        rules_free(&rules);
    }
    return result;
}

static char *import_text(const char *text, struct report *report)
{
    return import_bytes(text, strlen(text), "f", report);
}

/* The lines of the result that are rules, which is what most tests are about. */
static char *rules_of(const char *result)
{
    char *text;
    size_t len;
    FILE *out = mem_stream(&text, &len);

    for (const char *line = result; *line != '\0'; line = strchr(line, '\n') + 1)
        if (*line != '#' && *line != '\n')
            fwrite(line, 1, strcspn(line, "\n") + 1, out);
    mem_stream_end(out);
    return text;
}

static char *read_golden(const char *name, const char *suffix, size_t *len_r)
{
    char path[128];
    char *text;

    snprintf(path, sizeof path, "tests/unit/import/%s.%s", name, suffix);
    text = file_read(path, IMPORT_FILE_MAX, len_r);
    assert_non_null(text);
    return text;
}

/* NAME.in gives NAME.ref: the rules file, a line, and the reports. */
static void check_golden(const char *name)
{
    struct report report;
    size_t len, expected_len;
    char *text = read_golden(name, "in", &len);
    char *expected = read_golden(name, "ref", &expected_len);
    char file[64];
    char *result, *found;

    snprintf(file, sizeof file, "%s.in", name);
    result = import_bytes(text, len, file, &report);
    found = mem_printf("%s-- reports\n%s", result, report.text);
    assert_string_equal(found, expected);
    free(found);
    free(result);
    free(expected);
    free(text);
}

static void the_originals_own_table_becomes_eight_rules(void **state)
{
    static const struct {
        const char *source, *pattern;
        enum rules_recipients recipients;
        int priority;
    } expected[] = {
        {"X-Priority", "/^5/", RULES_ALL, 0},
        {"X-Priority", "/^4/", RULES_ALL, 1},
        {"X-Priority", "/^2/", RULES_ALL, 3},
        {"X-Priority", "/^1/", RULES_ALL, 4},
        {"X-XIMF-Primary-Precedence", "/^priority/", RULES_TO, 3},
        {"X-XIMF-Primary-Precedence", "/^flash/", RULES_TO, 4},
        {"X-XIMF-Copy-Precedence", "/^priority/", RULES_CC, 3},
        {"X-XIMF-Copy-Precedence", "/^flash/", RULES_CC, 4},
    };
    struct report report;
    size_t len;
    char *text = read_golden("original", "in", &len);
    char *result = import_bytes(text, len, "f", &report);
    struct rules *rules = rules_parse(result, strlen(result), "result", 5, &report.diag);

    (void)state;
    assert_string_equal(report.text, "");
    assert_int_equal(rules_count(rules), LENGTH(expected));
    for (size_t n = 0; n < LENGTH(expected); n++) {
        assert_string_equal(rules_get(rules, n)->source, expected[n].source);
        assert_string_equal(rules_get(rules, n)->pattern, expected[n].pattern);
        assert_int_equal(rules_get(rules, n)->recipients, expected[n].recipients);
        assert_int_equal(rules_get(rules, n)->priority, expected[n].priority);
    }
    rules_free(&rules);
    free(result);
    free(text);
}

static void results_are_as_kept(void **state)
{
    (void)state;
    check_golden("original");
    check_golden("layout");
    check_golden("broken");
}

static void other_line_ends_and_a_byte_order_mark_change_nothing(void **state)
{
    struct report report;
    size_t len, marked_len;
    char *text = read_golden("layout", "in", &len);
    char *expected = import_bytes(text, len, "f", &report), *found, *marked;
    FILE *out = mem_stream(&marked, &marked_len);

    (void)state;
    fputs("\xef\xbb\xbf", out);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n')
            fputc('\r', out);
        fputc(text[i], out);
    }
    mem_stream_end(out);
    found = import_bytes(marked, marked_len, "f", &report);
    assert_string_equal(found, expected);
    free(found);
    free(marked);
    free(expected);
    free(text);
}

static void a_table_may_stand_in_many_forms(void **state)
{
    static const char *const forms[] = {
        "[\"X\",qr/a/,0,1]",
        "[\"X\",qr/a/,0,1],",
        "[[\"X\",qr/a/,0,1],],",
        "([\"X\",qr/a/,0,1])",
        "{ headerRuleList => [[\"X\",qr/a/,0,1]] }",
        "+{ \"headerRuleList\", [[\"X\",qr/a/,0,1]] };",
        "%c = (headerRuleList=>[[\"X\",qr/a/,0,1]]); \\%c;",
        "package C; my $c = { headerRuleList => [ ([\"X\",qr/a/,0,1]) ] };\n$c",
        "use strict; use 5.008; use vars qw(%c); local %c=('headerRuleList',[['X',qr/a/,0,1]]);1;",
        "return ( headerRuleList => [ , ['X' => qr/a/ => 0 => 1 , ], , ] , ) ;",
        "my @rules = (\n[q qXq,\nqr\n#\n{a},\nq<0>,'1'\n]\n)\n",
        "[X=>qr/a/,0,1]\n\n__DATA__\n[",
    };

    (void)state;
    for (size_t n = 0; n < LENGTH(forms); n++) {
        struct report report;
        char *result = import_text(forms[n], &report), *rules = rules_of(result);

        if (strcmp(report.text, "") != 0 ||
            strcmp(rules, "X         /a/      all         1\n") != 0)
            fail_msg("%s\n  becomes  %s  with  %s", forms[n], rules, report.text);
        free(rules);
        free(result);
    }
}

static void what_cannot_be_read_is_reported(void **state)
{
    static const struct {
        const char *text, *reports;
    } cases[] = {
        {"", "f: there is no table of rules in this file; is it the original's "
             "addPrivatePriorityDomain.conf?\n"},
        {"headerRuleList => [],", ""},
        {"headerRuleList => [\n[\"X\",qr/a/,0,1],\n", "f:3: the file ends early; a ] is missing\n"},
        {"[\"X\",\nqr/a,0,1]", "f:2: what is quoted here does not end; close it\n"},
        {"[\"X\",\n\"a,0,1]", "f:2: what is quoted here does not end; close it\n"},
        {"[\"X\",qr/a/,\n0,1", "f:1: this row does not end; a ] is missing\n"},
        {"[\"X\",qr{a{},0,1]", "f:1: what is quoted here does not end; close it\n"},
        {"[\"X\",s/a/b,0,1]", "f:1: what is quoted here does not end; close it\n"},
        {"[\"X\",tr{a} {b},0,1]",
         "f:1: Perl matches this when it reads the file; write qr before the pattern\n"},
        {"[\"X\",qr/\xc3\xa9/,0,1]", ""},
        {"use utf8;\n[\"X\",qr/\xc3\xa9/,0,1]",
         "f:2: under `use utf8` this pattern is made of characters, and headers are bytes; write "
         "the bytes, as in \\xC3\\xA9\n"},
        {"use utf8; no utf8; [\"X\",qr/\xc3\xa9/,0,1]", ""},
        {"use 5.012;\n[\"X\",qr/a/,0,1]",
         "f:1: this may change what patterns mean; leave it out\n"},
        {"[\"\xc3\x84\",qr/a/,0,1]",
         "f:1: the first of a row is a header's name, in printable ASCII without colon; correct "
         "it\n"},
        {"[\"X\\0Y\",qr/a/,0,1]",
         "f:1: the first of a row is a header's name, in printable ASCII without colon; correct "
         "it\n"},
        {"[\"X\",\"a\\0\",0,1]", ""},
        {"[\"X\",'a\\',0,1]", "f:1: what is quoted here does not end; close it\n"},
        {"[\"X\",'a\\\\',0,1]", "f:1: the pattern ends with a backslash; write \\\\ for one\n"},
        {"$x = 5; [\"X\",qr/a/,0,1]",
         "f:1: this is no row, and Perl is not run; write rows as [ \"X-Priority\", qr/^5/, 0, 0 "
         "],\n"},
    };

    (void)state;
    for (size_t n = 0; n < LENGTH(cases); n++) {
        struct report report;
        char *result = import_text(cases[n].text, &report);

        if (strcmp(report.text, cases[n].reports) != 0)
            fail_msg("%s\n  is reported as  %s  instead of  %s", cases[n].text, report.text,
                     cases[n].reports);
        assert_int_equal(report.diag.errors > 0, strlen(cases[n].reports) > 0);
        free(result);
    }
}

static void what_is_no_text_gives_no_result(void **state)
{
    static const char utf16[] = "[\0\"\0X\0";
    struct report report;

    (void)state;
    assert_null(import_bytes("a\n\0b", 4, "f", &report));
    assert_string_equal(
        report.text,
        "f:2: a NUL byte; this is no text file, or in UTF-16: save it as plain text\n");
    assert_null(import_bytes(utf16, sizeof utf16, "f", &report));
}

static void depth_and_length_are_borne(void **state)
{
    enum { LEN = 200000 };
    static const char *const units[] = {"[",
                                        "(",
                                        "{",
                                        "((",
                                        "[[",
                                        "qr{",
                                        "[ \"X\", qr/(/,",
                                        "#\n",
                                        "=a\n",
                                        "a ",
                                        "$",
                                        "\"\\\"",
                                        "[\"X\",qr/a/,0,1],"};
    char *text = malloc(LEN + 1);

    (void)state;
    for (size_t n = 0; n < LENGTH(units); n++) {
        struct report report;
        char *result;

        text[0] = '\0';
        for (size_t i = 0; i < LEN; i++)
            text[i] = units[n][i % strlen(units[n])];
        text[LEN] = '\0';
        result = import_text(text, &report);
        assert_non_null(result);
        free(result);
    }
    free(text);
}

static void priorities_beyond_those_here_are_warned_of(void **state)
{
    static const char text[] = "[\"X\",qr/a/,0,4],\n[\"X\",qr/a/,0,5]";
    struct report errors, warnings;
    struct import_source source = {
        .text = text, .text_len = strlen(text), .file = "f", .priority_count = 5};
    char *result;

    (void)state;
    report_init(&errors);
    report_init(&warnings);
    result = import_rules(&source, &errors.diag, &warnings.diag);
    assert_non_null(strstr(result, "all         5\n"));
    assert_string_equal(errors.text, "");
    assert_string_equal(
        warnings.text,
        "f:2: warning: PRIORITY_COUNT=5 gives no priority 5; raise it before this rule is used\n");
    free(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_originals_own_table_becomes_eight_rules),
        cmocka_unit_test(results_are_as_kept),
        cmocka_unit_test(other_line_ends_and_a_byte_order_mark_change_nothing),
        cmocka_unit_test(a_table_may_stand_in_many_forms),
        cmocka_unit_test(what_cannot_be_read_is_reported),
        cmocka_unit_test(what_is_no_text_gives_no_result),
        cmocka_unit_test(depth_and_length_are_borne),
        cmocka_unit_test(priorities_beyond_those_here_are_warned_of),
    };

    return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
