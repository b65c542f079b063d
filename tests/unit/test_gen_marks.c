/* test_gen_marks - main.cf and master.cf as text: entries, their comments, and marks */
#include "gen/marks.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static const char main_cf[] = "# top\n\nmyhostname = a.example\n# why\nrelayhost =\n  # inside\n"
                              "  [b.example]\n\n# end\n";
static const char master_cf[] =
    "# head\nsmtp   inet  n - n - - smtpd\n  -o a=b\n# of qmgr\n"
    "qmgr unix n - n 300 1 qmgr\n\n# of mine\nmine unix - - n - - smtp\n";

static void expect_same(const char *text, enum cf_file file)
{
    struct cf_text cf;
    char *again;

    cf_text_parse(text, file, &cf);
    again = cf_text_format(&cf);
    assert_string_equal(again, text);
    free(again);
    cf_text_deinit(&cf);
}

static void what_is_taken_apart_can_be_put_together_again(void **state)
{
    static const char *const texts[] = {main_cf,    master_cf, "",          "\n",   "# only\n",
                                        "a=b",      "a=b\n\n", "  -o x\n",  "a\n#", "\r\na=b\r\n",
                                        "=\n= =\n", "a b\nc",  "a=b\n #x\n"};

    (void)state;
    for (size_t i = 0; i < LENGTH(texts); i++) {
        expect_same(texts[i], CF_MAIN);
        expect_same(texts[i], CF_MASTER);
    }
}

static void entries_have_names_and_the_comments_before_them(void **state)
{
    struct cf_text cf;

    (void)state;
    cf_text_parse(main_cf, CF_MAIN, &cf);
    assert_int_equal(cf.count, 2);
    assert_string_equal(cf.entries[0].lead, "# top\n\n");
    assert_string_equal(cf.entries[1].lead, "# why\n");
    assert_string_equal(cf.entries[1].name, "relayhost");
    assert_string_equal(cf.entries[1].body, "relayhost =\n  # inside\n  [b.example]\n");
    assert_string_equal(cf.tail, "\n# end\n");
    cf_text_deinit(&cf);
    cf_text_parse(master_cf, CF_MASTER, &cf);
    assert_int_equal(cf.count, 3);
    assert_string_equal(cf.entries[0].name, "smtp/inet");
    assert_string_equal(cf.entries[1].name, "qmgr/unix");
    assert_string_equal(cf.entries[1].lead, "# of qmgr\n");
    cf_text_deinit(&cf);
}

static void expect_restored(const char *original, const char *edited, const char *expected)
{
    struct cf_text before, after;
    char *text;

    cf_text_parse(original, CF_MASTER, &before);
    cf_text_parse(edited, CF_MASTER, &after);
    cf_text_restore_comments(&after, &before);
    text = cf_text_format(&after);
    assert_string_equal(text, expected);
    free(text);
    cf_text_deinit(&before);
    cf_text_deinit(&after);
}

static void comments_stay_with_their_entries(void **state)
{
    (void)state;
    expect_restored(master_cf,
                    "# head\nsmtp   inet  n - n - - smtpd\n  -o a=b\n# of qmgr\n\n# of mine\n"
                    "qmgr unix n - n 300 1 qmgr -o x=y\nmine unix - - n - - smtp\nnew unix n\n",
                    "# head\nsmtp   inet  n - n - - smtpd\n  -o a=b\n# of qmgr\n"
                    "qmgr unix n - n 300 1 qmgr -o x=y\n\n# of mine\nmine unix - - n - - smtp\n"
                    "new unix n\n");
    /* Of an entry that is gone they go to the next, or to the end. */
    expect_restored("# 1\na b\n# 2\nc d\n# 3\ne f\n# 4\n", "c d\n", "# 1\n# 2\nc d\n# 3\n# 4\n");
    /* Of two of one name each keeps its own. */
    expect_restored("# 1\na b 1\n# 2\na b 2\n", "a b 3\na b 4\n", "# 1\na b 3\n# 2\na b 4\n");
}

static void expect_marked(const char *text, enum cf_file file, const struct plan *plan,
                          const char *expected)
{
    struct pairs marks;
    struct cf_text cf;
    char *marked;

    marks_of_plan(plan, file, &marks);
    cf_text_parse(text, file, &cf);
    for (int again = 0; again < 2; again++) {
        marks_put(&cf, &marks);
        marked = cf_text_format(&cf);
        assert_string_equal(marked, expected);
        free(marked);
    }
    cf_text_deinit(&cf);
    pairs_deinit(&marks);
}

#define FROM "is from /etc/priority-email-gateway.conf; "

static void what_peg_gen_keeps_is_marked(void **state)
{
    struct plan plan = {0};

    (void)state;
    pairs_set(&plan.main, "relayhost", "x");
    pairs_set(&plan.last, "smtpd_milters", "unix:peg/milter");
    pairs_set(&plan.services, "peg0/unix", "peg0 unix");
    pairs_set(&plan.absent, "25/inet", "25 inet");
    pairs_set(&plan.options, "qmgr/unix/rewrite_service_name", "x");
    pairs_set(&plan.options, "qmgr/unix/queue_run_delay", "y");
    expect_marked(
        "# mine\nrelayhost = x\n# peg-gen: old\nmynetworks = y\nsmtpd_milters = z\n# peg-gen: end",
        CF_MAIN, &plan,
        "# mine\n# peg-gen: from /etc/priority-email-gateway.conf; what is changed here is "
        "set back\nrelayhost = x\nmynetworks = y\n# peg-gen: one word of it " FROM
        "the others are yours\nsmtpd_milters = z\n");
    expect_marked(
        "peg0 unix a\n25  inet b\nqmgr\tunix c\npeg0 inet d\n", CF_MASTER, &plan,
        "# peg-gen: from /etc/priority-email-gateway.conf; what is changed here is set "
        "back\npeg0 unix a\n# peg-gen: made from /etc/priority-email-gateway.conf; what is "
        "changed here stays\n25  inet b\n# peg-gen: yours, save for these options from "
        "/etc/priority-email-gateway.conf: rewrite_service_name, queue_run_delay\nqmgr\tunix "
        "c\npeg0 inet d\n");
    pairs_deinit(&plan.main);
    pairs_deinit(&plan.last);
    pairs_deinit(&plan.services);
    pairs_deinit(&plan.absent);
    pairs_deinit(&plan.options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken_apart_can_be_put_together_again),
        cmocka_unit_test(entries_have_names_and_the_comments_before_them),
        cmocka_unit_test(comments_stay_with_their_entries),
        cmocka_unit_test(what_peg_gen_keeps_is_marked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
