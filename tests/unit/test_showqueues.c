/* test_showqueues - the layout in which the counts are printed */
#include "monitor/showqueues.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

struct shown {
    bool ok;
    char *out;
    char *err;
};

static struct shown show(const struct survey *survey)
{
    struct shown shown = {0};
    size_t out_len;
    size_t err_len;
    FILE *out = open_memstream(&shown.out, &out_len);
    FILE *err = open_memstream(&shown.err, &err_len);

    assert_non_null(out);
    assert_non_null(err);
    shown.ok = showqueues_print(survey, "peg-showqueues", out, err);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(fclose(err), 0);
    return shown;
}

static void forget(struct shown *shown)
{
    free(shown->out);
    free(shown->err);
}

static void every_queue_is_a_line_under_its_instance_and_an_empty_instance_is_one_line(void **state)
{
    const struct survey survey = {
        .instances =
            {{.instance = PEG_FRONTEND,
              .is_known = true,
              .queues = {[QUEUE_INCOMING] = {.messages = 1}, [QUEUE_ACTIVE] = {.messages = 12}}},
             {.instance = 0, .is_known = true},
             {.instance = 1,
              .is_known = true,
              .queues = {[QUEUE_HOLD] = {.messages = UINT64_C(12345678901)}}}},
        .instance_count = 3};
    struct shown shown = show(&survey);

    (void)state;
    assert_true(shown.ok);
    assert_string_equal(shown.err, "");
    assert_string_equal(
        shown.out,
        "Message count in incoming, active, deferred and hold queues of all Postfix instances\n"
        "\n"
        " * postfix-frontend = 13\n"
        "   | incoming = 1\n"
        "   | active   = 12\n"
        "   | deferred = 0\n"
        "   | hold = 0\n"
        " * postfix0 = 0\n"
        " * postfix1 = 12345678901\n"
        "   | incoming = 0\n"
        "   | active   = 0\n"
        "   | deferred = 0\n"
        "   | hold = 12345678901\n");
    forget(&shown);
}

static void an_instance_that_cannot_be_counted_is_an_error_and_the_others_are_shown(void **state)
{
    const struct survey survey = {
        .instances = {{.instance = PEG_FRONTEND, .is_known = true},
                      {.instance = 0, .why = "/var/spool/postfix0: Permission denied, sing"},
                      {.instance = 1, .is_known = true}},
        .instance_count = 3};
    struct shown shown = show(&survey);

    (void)state;
    assert_false(shown.ok);
    assert_string_equal(
        shown.out,
        "Message count in incoming, active, deferred and hold queues of all Postfix instances\n"
        "\n"
        " * postfix-frontend = 0\n"
        " * postfix1 = 0\n");
    assert_string_equal(shown.err,
                        "peg-showqueues: /var/spool/postfix0: Permission denied, sing\n");
    forget(&shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            every_queue_is_a_line_under_its_instance_and_an_empty_instance_is_one_line),
        cmocka_unit_test(an_instance_that_cannot_be_counted_is_an_error_and_the_others_are_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
