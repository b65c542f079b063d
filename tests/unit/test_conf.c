/* test_conf - what the reader of sh syntax takes, and what it refuses */
#include "lib/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/report.h"
#include "tests/unit/unit.h"

/* The entries as text: `line:name[index]=<value>`, a line each. */
static void format(const struct conf *conf, char text_r[4096])
{
    size_t used = 0;

    text_r[0] = '\0';
    for (size_t i = 0; i < conf->count; i++) {
        const struct conf_entry *e = &conf->entries[i];
        char index[16] = "";

        if (e->index >= 0)
            snprintf(index, sizeof index, "[%d]", e->index);
        used += (size_t)snprintf(text_r + used, 4096 - used, "%u:%s%s=<%s>\n", e->line, e->name,
                                 index, e->value);
    }
}

/* Frees conf. */
static void assert_entries(struct conf *conf, const char *expected)
{
    char found[4096];

    assert_non_null(conf);
    format(conf, found);
    assert_string_equal(found, expected);
    conf_free(&conf);
    assert_null(conf);
}

static void expect_entries(const char *text, const char *expected)
{
    struct report report;

    report_init(&report);
    struct conf *conf = conf_parse(text, strlen(text), "f", &report.diag);

    assert_string_equal(report.text, "");
    assert_entries(conf, expected);
}

static void expect_report(const char *text, size_t len, const char *expected)
{
    struct report report;

    report_init(&report);
    struct conf *conf = conf_parse(text, len, "f", &report.diag);

    assert_non_null(conf);
    conf_free(&conf);
    if (strstr(report.text, expected) != report.text)
        print_error("%s\nfound: %s\nexpected: %s\n", text, report.text, expected);
    assert_ptr_equal(strstr(report.text, expected), report.text);
}

static void assignments_are_read_as_sh_reads_them(void **state)
{
    static const struct {
        const char *text;
        const char *entries;
    } cases[] = {
        {"", ""},
        {"\n \t\n# only a comment", ""},
        {"A=1", "1:A=<1>\n"},
        {"A=1\nB=2\n", "1:A=<1>\n2:B=<2>\n"},
        {"  A=1\tB=2 # both\n", "1:A=<1>\n1:B=<2>\n"},
        {"A=", "1:A=<>\n"},
        {"A=\"\"", "1:A=<>\n"},
        {"A= B=2", "1:A=<>\n1:B=<2>\n"},
        {"N[0]=x N[12]=y", "1:N[0]=<x>\n1:N[12]=<y>\n"},
        {"_a9='single $ ` \" \\ #'", "1:_a9=<single $ ` \" \\ #>\n"},
        {"A=\"a \\\" \\\\ \\$ \\` \\n 'b'\"", "1:A=<a \" \\ $ ` \\n 'b'>\n"},
        {"A=a\\ b\\#c", "1:A=<a b#c>\n"},
        {"A=x'y z'\"w\"v", "1:A=<xy zwv>\n"},
        {"A=a#b #c", "1:A=<a#b>\n"},
        {"A=one\\\ntwo", "1:A=<onetwo>\n"},
        {"A=\"one\\\ntwo\"", "1:A=<onetwo>\n"},
        {"A='one\ntwo'\nB=3", "1:A=<one\ntwo>\n3:B=<3>\n"},
        {"A=1 \\\n B=2\nC=3", "1:A=<1>\n2:B=<2>\n3:C=<3>\n"},
        {"# comment \\\nA=1", "2:A=<1>\n"},
        {"A=[::1]:25", "1:A=<[::1]:25>\n"},
        {"A=*?{a,b}!%@^=", "1:A=<*?{a,b}!%@^=>\n"},
        {"A=a~b", "1:A=<a~b>\n"},
        {"A=\"~\"", "1:A=<~>\n"},
        {"A=\xc3\xa9", "1:A=<\xc3\xa9>\n"},
        {"A=1\nA=2", "1:A=<1>\n2:A=<2>\n"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        expect_entries(cases[i].text, cases[i].entries);
}

static void all_else_that_sh_would_do_is_an_error_with_its_line(void **state)
{
    static const struct {
        const char *text;
        const char *report;
    } cases[] = {
        {"A=1\nB=$HOME", "f:2: \"$\" is not expanded"},
        {"A=\"$(id)\"", "f:1: \"$\" is not expanded"},
        {"A=`id`", "f:1: \"`\" would run a command"},
        {"\nA=\"`id`\"", "f:2: \"`\" would run a command"},
        {"A=1; B=2", "f:1: only assignments NAME=value may stand here; quote"},
        {"A=1&&B=2", "f:1: only assignments"},
        {"A=1 | tee", "f:1: only assignments"},
        {"A=<file", "f:1: only assignments"},
        {"A=(1 2)", "f:1: only assignments"},
        {"A=~/x", "f:1: \"~\" is not expanded"},
        {"A=/a:~b", "f:1: \"~\" is not expanded"},
        {"A=\\\n~b", "f:2: \"~\" is not expanded"},
        {"export A=1", "f:1: \"export\" is not understood"},
        {"A = 1", "f:1: only assignments NAME=value may stand here, without blanks"},
        {"A+=1", "f:1: NAME+=value is not understood"},
        {"\n\nrm -rf x", "f:3: only assignments"},
        {". ./other", "f:1: only assignments"},
        {"1A=2", "f:1: only assignments"},
        {"=2", "f:1: only assignments"},
        {"\"A\"=2", "f:1: only assignments"},
        {"A", "f:1: only assignments"},
        {"A=1 command", "f:1: only assignments"},
        {"A[x]=1", "f:1: NAME[n]= needs a plain number"},
        {"A[]=1", "f:1: NAME[n]= needs a plain number"},
        {"A[01]=1", "f:1: NAME[n]= needs a plain number"},
        {"A[00]=1", "f:1: NAME[n]= needs a plain number"},
        {"A[-1]=1", "f:1: NAME[n]= needs a plain number"},
        {"A[1=1", "f:1: NAME[n]= needs a plain number"},
        {"A[99999999999]=1", "f:1: NAME[n]= needs a plain number"},
        {"A[1]", "f:1: only assignments"},
        {"A=1\nB='x\ny", "f:2: the single quote ' is not closed"},
        {"B=\"x\ny", "f:1: the double quote \" is not closed"},
        {"B=\"x\\", "f:1: the double quote \" is not closed"},
        {"A=1\\", "f:1: the file ends after a backslash"},
        {"A=1\r\nB=2\r\n", "f:1: a carriage return"},
        {"A=\"1\r\"", "f:1: a carriage return"},
        {"\r\n", "f:1: a carriage return"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        expect_report(cases[i].text, strlen(cases[i].text), cases[i].report);
}

static void a_nul_byte_is_an_error_wherever_it_stands(void **state)
{
    (void)state;
    expect_report("A=1\n# \0\nB=2", 11, "f:2: a NUL byte");
    expect_report("\0", 1, "f:1: a NUL byte");
    expect_report("A='\0'", 5, "f:1: a NUL byte");
}

static void all_errors_are_reported_in_one_run(void **state)
{
    static const char text[] = "A=$x\nB=1\nC = 2\nD=`y`\nE=3\n";
    struct report report;

    (void)state;
    report_init(&report);
    struct conf *conf = conf_parse(text, strlen(text), "f", &report.diag);

    assert_entries(conf, "2:B=<1>\n5:E=<3>\n");
    assert_int_equal(report.diag.errors, 3);
    assert_non_null(strstr(report.text, "f:1: "));
    assert_non_null(strstr(report.text, "\nf:3: "));
    assert_non_null(strstr(report.text, "\nf:4: "));
}

static void an_error_in_quotes_does_not_hide_what_follows(void **state)
{
    static const char text[] = "A=\"$x\n\" B=1\nC=$y\n";
    struct report report;

    (void)state;
    report_init(&report);
    struct conf *conf = conf_parse(text, strlen(text), "f", &report.diag);

    assert_entries(conf, "2:B=<1>\n");
    assert_int_equal(report.diag.errors, 2);
    assert_non_null(strstr(report.text, "f:1: "));
    assert_non_null(strstr(report.text, "\nf:3: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(assignments_are_read_as_sh_reads_them),
        cmocka_unit_test(all_else_that_sh_would_do_is_an_error_with_its_line),
        cmocka_unit_test(a_nul_byte_is_an_error_wherever_it_stands),
        cmocka_unit_test(all_errors_are_reported_in_one_run),
        cmocka_unit_test(an_error_in_quotes_does_not_hide_what_follows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
