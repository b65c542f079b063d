/* test_classify - a priority for each recipient, from headers, macros and rules */
#include "milter/classify.h"

#include <stdio.h>
#include <string.h>

#include "milter/message.h"
#include "tests/unit/unit.h"

static const char rules_text[] = "X-Priority                /^5/           all  0\n"
                                 "X-Priority                /^1/           all  4\n"
                                 "X-XIMF-Primary-Precedence /^flash/i      to   4\n"
                                 "X-XIMF-Copy-Precedence    /^flash/i      cc   3\n"
                                 "{auth_authen}             /^alarm-/      all  4\n"
                                 "Subject                   /^(a+)+$/      all  4\n"
                                 "{rcpt_addr}               /^slow@/       all  1\n"
                                 "X-Override                /yes/          all  3\n";

enum { NONE = -1 }; /* as default priority: no rule matched */

static struct rules *rules;
static struct classify *classify;
static unsigned given_up;

static int set_up(void **state)
{
    struct diag diag = diag_to_stderr();

    (void)state;
    rules = rules_parse(rules_text, strlen(rules_text), "rules", 5, &diag);
    classify = classify_new();
    return rules != NULL && classify != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    classify_free(&classify);
    rules_free(&rules);
    return 0;
}

static void on_gave_up(void *arg, const struct rule *rule, const char *why)
{
    (void)arg;
    assert_int_equal(rule->line, 6);
    assert_string_not_equal(why, "");
    given_up++;
}

static bool take_field(void *arg, const char *name, const char *value)
{
    (void)arg;
    return classify_header(classify, name, value, strlen(value));
}

static void read_message(const char *header)
{
    char text[4096];

    snprintf(text, sizeof text, "%s", header);
    given_up = 0;
    classify_begin(classify, rules, NONE, on_gave_up, NULL);
    assert_true(message_read_header(text, strlen(text), take_field, NULL));
}

static int priority_of(const char *recipient)
{
    return classify_recipient(classify, recipient, recipient, recipient).priority;
}

static void verdicts_follow_the_rules(void **state)
{
    static const struct {
        const char *header;
        int to, cc; /* priorities of to@x and cc@x */
    } cases[] = {
        {"To: to@x\n", -1, -1},
        {"To: to@x\nX-Priority: 1 (Highest)\n", 4, 4},
        {"To: to@x\nx-priority:5\n", 0, 0},
        {"X-Priority: 1\nX-Priority: 5\nTo: to@x\n", 4, 4}, /* rule 2 is the last that matches */
        {"X-Priority: 5\nX-Priority: 3\nTo: to@x\n", 0, 0}, /* either of two headers */
        {"X-XIMF-Primary-Precedence: Flash\nTo: to@x\nCc: cc@x\n", 4, -1},
        {"X-XIMF-Copy-Precedence: flash\nTo: to@x\nCc: cc@x\n", -1, 3},
        {"X-XIMF-Copy-Precedence: flash\nTo: to@x\n", -1, 3}, /* Bcc */
        {"X-Priority: 5\nX-XIMF-Primary-Precedence: flash\nTo: to@x\n", 4, 0},
        {"X-Override: yes\nX-Priority: 1\nTo: to@x\n", 3, 3}, /* last in the file, not the header */
        {"X-XIMF-Primary-Precedence: flash\nTo: to@x\nCc: to@x, cc@x\n", 4, -1}, /* To wins */
        {"X-XIMF-Primary-Precedence: flash\nTo: a@x\nTo: to@x\n", 4, -1},
        {"X-XIMF-Primary-Precedence: flash\nTo: a@x\nResent-To: to@x\n", 4, -1},
        {"X-XIMF-Primary-Precedence: flash\nTo: ato@x, to@xx\n", -1, -1},
        {"X-XIMF-Primary-Precedence: flash\nTo: \"to@x\" <a@x>, (to@x) b@x\n", -1, -1},
        {"X-XIMF-Primary-Precedence: flash\nTO: <TO@X>\n", 4, -1},
        {"X-XIMF-Primary-Precedence: flash\nTo: undisclosed-recipients:;\n", -1, -1},
        {"X-XIMF-Primary-Precedence: flash\nTo: a@x,\n\tTeam: b@x,\n to@x;\n", 4, -1},
        {"X-XIMF-Primary-Precedence:\n flash\nTo: to@x\n", 4, -1},
        {"X-XIMF-Primary-Precedence:   flash  \nTo: to@x\n", 4, -1},
        {"X-XIMF-Primary-Precedence: not flash\nTo: to@x\n", -1, -1},
        {"X-XIMF-Primary-Precedence: flash\n\nTo: to@x\n", -1, -1}, /* in the body */
    };

    (void)state;
    for (size_t n = 0; n < LENGTH(cases); n++) {
        read_message(cases[n].header);
        if (priority_of("to@x") != cases[n].to || priority_of("cc@x") != cases[n].cc)
            fail_msg("%s gives to@x %d and cc@x %d", cases[n].header, priority_of("to@x"),
                     priority_of("cc@x"));
    }
}

static void a_message_does_not_remember_the_one_before(void **state)
{
    (void)state;
    read_message("X-Priority: 1\nTo: to@x\n");
    assert_int_equal(priority_of("to@x"), 4);
    read_message("Subject: x\n");
    assert_int_equal(priority_of("to@x"), -1);
    assert_false(classify_recipient(classify, "to@x", "to@x", NULL).primary);
}

static void macros_count_as_headers_do(void **state)
{
    (void)state;
    read_message("To: to@x\n");
    classify_macro(classify, "{auth_authen}", "alarm-7");
    assert_int_equal(priority_of("to@x"), 4);
    assert_int_equal(priority_of("slow@x"), 1); /* a rule on the recipient that stands behind */
    read_message("To: to@x\nX-Override: yes\n");
    assert_int_equal(priority_of("slow@x"), 3); /* and one that stands before */
}

static void a_probe_alone_without_a_sender_has_the_priority_that_it_names(void **state)
{
    (void)state;
    read_message("X-Priority: 1\nX-Override: yes\nTo: to@priority-2.peg-probe.invalid\n");
    assert_int_equal(priority_of("to@priority-2.peg-probe.invalid"), 3);
    classify_envelope(classify, "eve@x", 1);
    assert_int_equal(priority_of("to@priority-2.peg-probe.invalid"), 3);
    classify_envelope(classify, "", 2);
    assert_int_equal(priority_of("to@priority-2.peg-probe.invalid"), 3);
    classify_envelope(classify, "", 1);
    assert_int_equal(priority_of("to@priority-2.peg-probe.invalid"), 2);
    assert_null(classify_recipient(classify, "a@priority-0.peg-probe.invalid",
                                   "a@priority-0.peg-probe.invalid", NULL)
                    .rule);
    assert_int_equal(priority_of("to@priority-5.peg-probe.invalid"), 3); /* there is none */
    assert_int_equal(priority_of("to@priority-2.peg-probe.example"), 3);
}

static void an_address_without_domain_is_primary_as_given_or_as_resolved(void **state)
{
    (void)state;
    read_message("X-XIMF-Primary-Precedence: flash\nTo: local, other@origin.example\n");
    assert_true(classify_recipient(classify, "local", "local@origin.example", NULL).primary);
    assert_true(classify_recipient(classify, "other", "other@origin.example", NULL).primary);
    assert_false(classify_recipient(classify, "third", "third@origin.example", NULL).primary);
}

static void a_pattern_that_is_given_up_does_not_match_and_is_told(void **state)
{
    char header[2200] = "To: to@x\nSubject: ";

    (void)state;
    memset(header + strlen(header), 'a', 2000);
    strcat(header, "b\n");
    read_message(header);
    assert_int_equal(priority_of("to@x"), -1);
    assert_int_equal(given_up, 1);
}

static void a_recipient_who_may_have_been_cut_off_to_is_not_demoted(void **state)
{
    static char to[60000];

    (void)state;
    memset(to, ',', sizeof to - 1);
    memcpy(to, "to@x", 4);
    for (int cut = 0; cut < 2; cut++) {
        size_t len = cut ? 53996 : 53995;

        read_message("X-XIMF-Primary-Precedence: flash\nX-XIMF-Copy-Precedence: flash\n");
        assert_true(classify_header(classify, "To", to, len));
        assert_int_equal(priority_of("to@x"), 4);
        assert_int_equal(priority_of("late@x"), cut ? 4 : 3);
    }
    read_message("X-XIMF-Copy-Precedence: flash\n");
    assert_true(classify_header(classify, "To", to, sizeof to - 1));
    assert_int_equal(priority_of("late@x"), 3);
}

static void unfolding_takes_line_ends_and_outer_blanks_away(void **state)
{
    static const struct {
        const char *value, *expected;
    } cases[] = {{"a", "a"}, {" \t a b \t", "a b"}, {"a\r\n b", "a b"}, {"a\n\tb\n", "a\tb"},
                 {"", ""},   {" \n ", ""},          {"a\rb", "ab"},     {"\n a", "a"}};

    (void)state;
    for (size_t n = 0; n < LENGTH(cases); n++) {
        char result[32];
        size_t len = classify_unfold(cases[n].value, strlen(cases[n].value), result);

        assert_string_equal(result, cases[n].expected);
        assert_int_equal(len, strlen(result));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_follow_the_rules),
        cmocka_unit_test(a_message_does_not_remember_the_one_before),
        cmocka_unit_test(macros_count_as_headers_do),
        cmocka_unit_test(a_probe_alone_without_a_sender_has_the_priority_that_it_names),
        cmocka_unit_test(an_address_without_domain_is_primary_as_given_or_as_resolved),
        cmocka_unit_test(a_pattern_that_is_given_up_does_not_match_and_is_told),
        cmocka_unit_test(a_recipient_who_may_have_been_cut_off_to_is_not_demoted),
        cmocka_unit_test(unfolding_takes_line_ends_and_outer_blanks_away),
    };

    return cmocka_run_group_tests_name("classify", tests, set_up, tear_down);
}
