/* test_showqueues - the layout in which the counts are printed */
#include "showqueues/showqueues.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

struct shown {
    bool ok;
    char *out;
    char *err;
};

static struct shown show(bool (*print)(const struct survey *survey, const char *program, FILE *out,
                                       FILE *err),
                         const struct survey *survey)
{
    struct shown shown = {0};
    size_t out_len;
    size_t err_len;
    FILE *out = open_memstream(&shown.out, &out_len);
    FILE *err = open_memstream(&shown.err, &err_len);

    assert_non_null(out);
    assert_non_null(err);
    shown.ok = print(survey, "peg-showqueues", out, err);
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
    struct shown shown = show(showqueues_print, &survey);

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
    struct shown shown = show(showqueues_print, &survey);

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

#define T_MS INT64_C(1795660200123)

static void with_ages_every_count_that_has_one_is_followed_by_it(void **state)
{
    const struct survey survey = {
        .taken_ms = T_MS,
        .detail = SURVEY_DETAILS,
        .instances = {{.instance = PEG_FRONTEND,
                       .is_known = true,
                       .queues = {[QUEUE_INCOMING] = {.messages = 1}, /* being written */
                                  [QUEUE_ACTIVE] = {.messages = 12, .oldest_ms = T_MS - 3599999},
                                  [QUEUE_HOLD] = {.messages = 2, .oldest_ms = T_MS + 1}}},
                      {.instance = 0, .is_known = true},
                      {.instance = 1, .why = "/var/spool/postfix1: Permission denied, sing"},
                      {.instance = 2,
                       .is_known = true,
                       .queues = {[QUEUE_DEFERRED] = {.messages = 7,
                                                      .oldest_ms = T_MS - 273906000}}}},
        .instance_count = 4};
    struct shown shown = show(showqueues_print_age, &survey);

    (void)state;
    assert_false(shown.ok);
    assert_string_equal(shown.out,
                        "Message count and oldest message in incoming, active, deferred and hold "
                        "queues of all Postfix instances\n"
                        "\n"
                        " * postfix-frontend = 15, oldest 00:59:59\n"
                        "   | incoming = 1\n"
                        "   | active   = 12, oldest 00:59:59\n"
                        "   | deferred = 0\n"
                        "   | hold = 2, oldest 00:00:00\n"
                        " * postfix0 = 0\n"
                        " * postfix2 = 7, oldest 3d 04:05:06\n"
                        "   | incoming = 0\n"
                        "   | active   = 0\n"
                        "   | deferred = 7, oldest 3d 04:05:06\n"
                        "   | hold = 0\n"
                        " * all = 22, oldest 3d 04:05:06\n");
    assert_string_equal(shown.err,
                        "peg-showqueues: /var/spool/postfix1: Permission denied, sing\n");
    forget(&shown);
}

static void one_instance_alone_needs_no_total(void **state)
{
    struct survey survey = {.instances = {{.instance = PEG_FRONTEND, .is_known = true},
                                          {.instance = 4, .is_known = true}},
                            .instance_count = 2};
    struct shown shown;

    (void)state;
    assert_false(survey_keep(&survey, 3));
    assert_true(survey_keep(&survey, 4));
    shown = show(showqueues_print_age, &survey);
    assert_true(shown.ok);
    assert_non_null(strstr(shown.out, "\n\n * postfix4 = 0\n"));
    assert_null(strstr(shown.out, " * all"));
    forget(&shown);
}

static void ages_are_days_hours_minutes_and_seconds(void **state)
{
    static const struct {
        int64_t age_s;
        const char *text;
    } ages[] = {{0, "00:00:00"},        {59, "00:00:59"},
                {3600, "01:00:00"},     {86399, "23:59:59"},
                {86400, "1d 00:00:00"}, {INT64_MAX, "106751991167300d 15:30:07"}};
    char text[SHOWQUEUES_AGE_SIZE];

    (void)state;
    for (size_t n = 0; n < LENGTH(ages); n++) {
        showqueues_age_text(ages[n].age_s, text);
        assert_string_equal(text, ages[n].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            every_queue_is_a_line_under_its_instance_and_an_empty_instance_is_one_line),
        cmocka_unit_test(an_instance_that_cannot_be_counted_is_an_error_and_the_others_are_shown),
        cmocka_unit_test(with_ages_every_count_that_has_one_is_followed_by_it),
        cmocka_unit_test(one_instance_alone_needs_no_total),
        cmocka_unit_test(ages_are_days_hours_minutes_and_seconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
