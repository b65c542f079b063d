/* test_gen_check - lines of Postfix's files that findings name, and actions in its tables */
#include "gen/check_parts.h"

#include <stdio.h>
#include <string.h>

#include "gen/where.h"
#include "tests/unit/unit.h"

static void the_line_that_counts_of_a_parameter_is_found(void **state)
{
    static const char text[] = "# a = 0\n"
                               "a = 1\n"
                               "ab = 2\n"
                               "b=3,\n"
                               "    a = 4\n"
                               "a =5\n"
                               "c";

    (void)state;
    assert_int_equal(where_parameter_in(text, "a"), 6);
    assert_int_equal(where_parameter_in(text, "ab"), 3);
    assert_int_equal(where_parameter_in(text, "b"), 4);
    assert_int_equal(where_parameter_in(text, "c"), 0);
    assert_int_equal(where_parameter_in("", "a"), 0);
}

static void the_line_of_an_option_of_a_service_is_found(void **state)
{
    static const char text[] = "smtp      inet n - n - - smtpd\n"
                               "  -o a=1\n"
                               "# smtp inet\n"
                               "  -o content_filter=x -o { b = 2 }\n"
                               "smtp      unix - - n - - smtp -o a=3\n"
                               "\n"
                               "127.0.0.1:smtp inet n - n - - smtpd\n"
                               "    -o aa=4 -o x=a=5\n";
    static const struct {
        const char *service, *option;
        unsigned line;
    } cases[] = {
        {"smtp/inet", "a", 2},
        {"smtp/inet", "content_filter", 4},
        {"smtp/inet", "b", 4},
        {"smtp/inet", "none", 1},
        {"smtp/unix", "a", 5},
        {"127.0.0.1:smtp/inet", "aa", 8},
        {"127.0.0.1:smtp/inet", "a", 7},
        {"none/inet", "a", 0},
        {"smt/inet", "a", 0},
        {"smtp/ine", "a", 0},
    };

    (void)state;
    for (size_t n = 0; n < LENGTH(cases); n++)
        if (where_option_in(text, cases[n].service, cases[n].option) != cases[n].line)
            fail_msg("%s %s: %u", cases[n].service, cases[n].option,
                     where_option_in(text, cases[n].service, cases[n].option));
}

static char found_text[512];

static void found(void *arg, unsigned line, const char *action)
{
    size_t used = strlen(found_text);

    (void)arg;
    snprintf(found_text + used, sizeof found_text - used, "%u %s ", line, action);
}

static void actions_that_move_recipients_are_found(void **state)
{
    static const struct {
        const char *type, *text, *found;
    } cases[] = {
        {"regexp", "# /a/ FILTER x:\n/a/ FILTER x:\n/b c/i  redirect u@x\n",
         "2 FILTER 3 REDIRECT "},
        {"pcre", "if /a/\n!/a\\/ FILTER b/ BCC u@x\nendif\n/x/ PREPEND FILTER x:\n", "2 BCC "},
        {"pcre", "/FILTER x: / OK\n|a b|  FILTER x:\n/a\n  FILTER x:\n", "2 FILTER "},
        {"regexp", "/a/ FILTER peg4-f:[127.0.0.1]:20004\n/a/ FILTER peg:x\n", "2 FILTER "},
        {"hash", "a@x  OK\nb@x\tREDIRECT u@x\n\nc@x FILTERED\nFILTER x\nd BCC", "2 REDIRECT "},
        {"cidr", "192.0.2.0/24 FILTER x:\r\n", "1 FILTER "},
        {"hash", "", ""},
    };

    (void)state;
    for (size_t n = 0; n < LENGTH(cases); n++) {
        found_text[0] = '\0';
        check_actions_in(cases[n].type, cases[n].text, found, NULL);
        if (strcmp(found_text, cases[n].found) != 0)
            fail_msg("%s: %s", cases[n].text, found_text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_that_counts_of_a_parameter_is_found),
        cmocka_unit_test(the_line_of_an_option_of_a_service_is_found),
        cmocka_unit_test(actions_that_move_recipients_are_found),
    };

    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
