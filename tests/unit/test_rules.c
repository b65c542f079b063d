/* test_rules - the rules file: what is read, what is refused and where, what matches */
#include "milter/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { PRIORITIES = 5 };

struct reports {
    char text[4096];
};

static void keep_report(void *arg, const char *text)
{
    struct reports *reports = arg;

    strncat(reports->text, text, sizeof reports->text - strlen(reports->text) - 2);
    strcat(reports->text, "\n");
}

static struct rules *parse(const char *text, struct reports *reports)
{
    struct diag diag = {.emit = keep_report, .arg = reports};

    reports->text[0] = '\0';
    return rules_parse(text, strlen(text), "rules", PRIORITIES, &diag);
}

static void the_shipped_rules_are_read(void **state)
{
    struct diag diag = diag_to_stderr();
    struct rules *rules = rules_load("conf/priority-email-gateway.rules", PRIORITIES, &diag);

    (void)state;
    assert_non_null(rules);
    assert_true(rules_count(rules) >= 8);
    rules_free(&rules);
}

static void a_rule_has_source_pattern_recipients_and_priority(void **state)
{
    struct reports reports;
    struct rules *rules = parse("# comment\n"
                                "\n"
                                "X-Priority /^5/ all 0 # trailing comment\r\n"
                                "\t {auth_authen}\t/^a b\\/c#/ix  To   4\n"
                                "X /y/s 2 1",
                                &reports);

    (void)state;
    assert_non_null(rules);
    assert_int_equal(rules_count(rules), 3);
    assert_string_equal(rules_get(rules, 0)->source, "X-Priority");
    assert_string_equal(rules_get(rules, 0)->pattern, "/^5/");
    assert_int_equal(rules_get(rules, 0)->recipients, RULES_ALL);
    assert_int_equal(rules_get(rules, 0)->line, 3);
    assert_string_equal(rules_get(rules, 1)->pattern, "/^a b\\/c#/ix");
    assert_int_equal(rules_get(rules, 1)->recipients, RULES_TO);
    assert_int_equal(rules_get(rules, 1)->priority, 4);
    assert_int_equal(rules_get(rules, 2)->recipients, RULES_CC);
    assert_string_equal(rules_macros(rules), "{auth_authen}");
    rules_free(&rules);
}

static void a_bad_line_is_reported_with_its_place(void **state)
{
    static const struct {
        const char *text, *report;
    } cases[] = {
        {"X-Priority /(/ all 0", "rules:1:14: missing closing parenthesis"},
        {"\nX-Priority   /[z-a]/ all 0", "rules:2:18: range out of order"},
        {"X-Priority: /1/ all 0", "rules:1:11: a header name is needed"},
        {"X-Pri\xc3ority /1/ all 0", "rules:1:6: a header name"},
        {"X-Priority ^5 all 0", "rules:1:12: a pattern between slashes"},
        {"X-Priority", "rules:1:11: a pattern between slashes"},
        {"X-Priority /^5 all 0", "rules:1:12: the pattern has no closing slash"},
        {"X-Priority /^5\\/ all 0", "rules:1:12: the pattern has no closing slash"},
        {"X-Priority /^5/g all 0", "rules:1:16: flags are i, x and s, not \"g\""},
        {"X-Priority /^5/ some 0", "rules:1:17: recipients are needed here"},
        {"X-Priority /^5/ 3 0", "rules:1:17: recipients are needed here"},
        {"X-Priority /^5/ al 0", "rules:1:17: recipients are needed here"},
        {"X-Priority /^5/ all 5", "rules:1:21: a priority from 0 to 4"},
        {"X-Priority /^5/ all -1", "rules:1:21: a priority from 0 to 4"},
        {"X-Priority /^5/ all 99999999999999999999", "rules:1:21: a priority from 0 to 4"},
        {"X-Priority /^5/ all", "rules:1:20: a priority from 0 to 4"},
        {"X-Priority /^5/ all # 4", "rules:1:21: a priority from 0 to 4"},
        {"X-Priority /^5/ all 4 5", "rules:1:23: the rule ends after its priority"},
        {"{auth_auten} /^5/ all 4", "rules:1:1: Postfix has no milter macro {auth_auten}"},
        {"{auth_authen /^5/ all 4", "rules:1:1: Postfix has no milter macro"},
        {"{rcpt_host} /^5/ all 4", "rules:1:1: of a recipient's macros only {rcpt_addr}"},
        {"{ /^5/ all 4", "rules:1:1: Postfix has no milter macro {"},
    };

    (void)state;
    for (size_t n = 0; n < LENGTH(cases); n++) {
        struct reports reports;

        assert_null(parse(cases[n].text, &reports));
        if (strncmp(reports.text, cases[n].report, strlen(cases[n].report)) != 0)
            fail_msg("%s\n  is reported as %s  instead of %s", cases[n].text, reports.text,
                     cases[n].report);
    }
}

static void all_bad_lines_are_reported_in_one_run(void **state)
{
    struct reports reports;
    struct diag diag = {.emit = keep_report, .arg = &reports};

    (void)state;
    reports.text[0] = '\0';
    assert_null(parse("X /(/ all 0\nX /1/ all 0\nX /1/ all 9\n", &reports));
    assert_non_null(strstr(reports.text, "rules:1:"));
    assert_non_null(strstr(reports.text, "rules:3:"));
    assert_null(rules_parse("X /1/ all 0\nX\0 /1/ all 0\n", 25, "rules", PRIORITIES, &diag));
    assert_non_null(strstr(reports.text, "rules:2:1: a NUL byte"));
    assert_null(rules_load("/nonexistent/rules", PRIORITIES, &diag));
    assert_non_null(strstr(reports.text, "/nonexistent/rules: No such file"));
}

static void an_empty_file_has_no_rules(void **state)
{
    struct reports reports;
    struct rules *rules = parse("", &reports);
    size_t count = 1;

    (void)state;
    assert_non_null(rules);
    assert_null(rules_for(rules, "X-Priority", &count));
    assert_int_equal(count, 0);
    rules_free(&rules);
}

static void rules_are_found_by_source_in_any_case(void **state)
{
    struct reports reports;
    struct rules *rules = parse("B /1/ all 1\nA /1/ all 2\nb /2/ all 3\nC /1/ all 0\n", &reports);
    size_t count;
    const size_t *indexes = rules_for(rules, "b", &count);

    (void)state;
    assert_int_equal(count, 2);
    assert_int_equal(indexes[0], 0);
    assert_int_equal(indexes[1], 2);
    assert_null(rules_for(rules, "D", &count));
    rules_free(&rules);
}

static int match(const char *rule, const char *value)
{
    struct reports reports;
    struct rules *rules = parse(rule, &reports);
    struct rules_matcher *matcher = rules_matcher_new();
    char why[RULES_WHY_SIZE] = "";
    int result;

    assert_non_null(rules);
    assert_non_null(matcher);
    result = rules_match(rules_get(rules, 0), matcher, value, strlen(value), why);
    if (result < 0)
        assert_string_not_equal(why, "");
    rules_matcher_free(&matcher);
    rules_free(&rules);
    return result;
}

static void patterns_match_as_pcre_with_their_flags(void **state)
{
    static const struct {
        const char *rule, *value;
        int expected;
    } cases[] = {
        {"X /^flash/ all 4", "flash", 1},    {"X /^flash/ all 4", "Flash", 0},
        {"X /^flash/i all 4", "FLASH 1", 1}, {"X /fl ash # x/x all 4", "flash", 1},
        {"X /a.b/ all 4", "a\nb", 0},        {"X /a.b/s all 4", "a\nb", 1},
        {"X /a\\/b/ all 4", "a/b", 1},       {"X /^$/ all 4", "", 1},
        {"X /(.)\\1/ all 4", "xyyz", 1},     {"X /(?<=x)y/ all 4", "xy", 1},
        {"X // all 4", "anything", 1},
    };

    (void)state;
    for (size_t n = 0; n < LENGTH(cases); n++)
        assert_int_equal(match(cases[n].rule, cases[n].value), cases[n].expected);
}

static void a_pattern_that_backtracks_without_end_is_given_up(void **state)
{
    char value[2001];

    (void)state;
    memset(value, 'a', 2000);
    value[2000] = '\0';
    assert_int_equal(match("X /^(a+)+$/ all 4", value), 1);
    value[1999] = 'b';
    assert_int_equal(match("X /^(a+)+$/ all 4", value), -1);
}

/* At first the matcher has the thread's stack only, then more, and the interpreter for the rest. */
static void a_pattern_may_want_much_stack(void **state)
{
    static const size_t lengths[] = {100, 6000, 100, 20000, 6000};
    struct reports reports;
    struct rules *rules = parse("X /^(?:(a)|(b))*z$/ all 4", &reports);
    struct rules_matcher *matcher = rules_matcher_new();
    char why[RULES_WHY_SIZE];

    (void)state;
    for (size_t n = 0; n < LENGTH(lengths); n++) {
        size_t len = lengths[n];
        char *value = malloc(len);

        memset(value, 'a', len - 1);
        value[len - 1] = 'z';
        assert_int_equal(rules_match(rules_get(rules, 0), matcher, value, len, why), 1);
        free(value);
    }
    rules_matcher_free(&matcher);
    rules_free(&rules);
}

static void a_long_value_is_matched_whole(void **state)
{
    size_t len = 900000;
    char *value = malloc(len + 1);

    (void)state;
    memset(value, 'a', len);
    value[len - 1] = 'z';
    value[len] = '\0';
    assert_int_equal(match("X /z$/ all 4", value), 1);
    free(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_rules_are_read),
        cmocka_unit_test(a_rule_has_source_pattern_recipients_and_priority),
        cmocka_unit_test(a_bad_line_is_reported_with_its_place),
        cmocka_unit_test(all_bad_lines_are_reported_in_one_run),
        cmocka_unit_test(an_empty_file_has_no_rules),
        cmocka_unit_test(rules_are_found_by_source_in_any_case),
        cmocka_unit_test(patterns_match_as_pcre_with_their_flags),
        cmocka_unit_test(a_pattern_that_backtracks_without_end_is_given_up),
        cmocka_unit_test(a_pattern_may_want_much_stack),
        cmocka_unit_test(a_long_value_is_matched_whole),
    };

    return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
