/* test_survey_json - surveys survive JSON, and what is none is refused with a reason */
#include "survey/survey_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define T_MS INT64_C(1795660200123) /* 2026-11-26T02:30:00.123Z */

static const struct survey example = {
    .taken_ms = T_MS,
    .detail = SURVEY_DETAILS,
    .instances = {{.instance = PEG_FRONTEND,
                   .is_known = true,
                   .queues = {[QUEUE_INCOMING] = {.messages = 3,
                                                  .octets = 4711,
                                                  .recipients = 5,
                                                  .oldest_ms = T_MS - 61999},
                              [QUEUE_HOLD] = {.messages = 1,
                                              .octets = UINT64_C(5000000000),
                                              .recipients = 1,
                                              .oldest_ms = T_MS + 5000}},
                   .state = SURVEY_UP,
                   .up_since_ms = T_MS - 1,
                   .flow = {.is_known = true,
                            .since_ms = T_MS - 100,
                            .received_messages = 1,
                            .received_octets = 2,
                            .received_recipients = 3,
                            .left_messages = 4,
                            .left_octets = 5,
                            .left_recipients = 6,
                            .received_last_ms = T_MS - 7}},
                  {.instance = 1,
                   .why = "/var/spool/postfix1: Permission denied, run this as root"},
                  {.instance = 63, .is_known = true, .state = SURVEY_DOWN}},
    .instance_count = 3,
    .milter = {.state = SURVEY_UP, .up_since_ms = T_MS - 3},
    .tcpmap = {.state = SURVEY_UP}};

#define EMPTY                                              \
    "{\"messages\": 0, \"octets\": 0, \"recipients\": 0, " \
    "\"oldest\": null, \"oldest_age_seconds\": null}"

static const char example_text[] =
    "{\"version\": 1, \"taken\": \"2026-11-26T02:30:00.123Z\", \"detail\": \"details\", "
    "\"instances\": ["
    "{\"name\": \"postfix-frontend\", \"state\": \"up\", "
    "\"up_since\": \"2026-11-26T02:30:00.122Z\", \"error\": null, \"messages\": 4, "
    "\"queues\": {\"incoming\": {\"messages\": 3, \"octets\": 4711, \"recipients\": 5, "
    "\"oldest\": \"2026-11-26T02:28:58.124Z\", \"oldest_age_seconds\": 61}, "
    "\"active\": " EMPTY ", \"deferred\": " EMPTY ", "
    "\"hold\": {\"messages\": 1, \"octets\": 5000000000, \"recipients\": 1, "
    "\"oldest\": \"2026-11-26T02:30:05.123Z\", \"oldest_age_seconds\": 0}}, "
    "\"flow\": {\"since\": \"2026-11-26T02:30:00.023Z\", "
    "\"received\": {\"messages\": 1, \"octets\": 2, \"recipients\": 3, "
    "\"last\": \"2026-11-26T02:30:00.116Z\"}, "
    "\"left\": {\"messages\": 4, \"octets\": 5, \"recipients\": 6, \"last\": null}}}, "
    "{\"name\": \"postfix1\", \"state\": \"unknown\", \"up_since\": null, "
    "\"error\": \"/var/spool/postfix1: Permission denied, run this as root\", "
    "\"messages\": null, \"queues\": null, \"flow\": null}, "
    "{\"name\": \"postfix63\", \"state\": \"down\", \"up_since\": null, \"error\": null, "
    "\"messages\": 0, \"queues\": {\"incoming\": " EMPTY ", \"active\": " EMPTY
    ", \"deferred\": " EMPTY ", \"hold\": " EMPTY "}, \"flow\": null}], "
    "\"milter\": {\"state\": \"up\", \"up_since\": \"2026-11-26T02:30:00.120Z\"}, "
    "\"tcpmap\": {\"state\": \"up\", \"up_since\": null}}";

static void a_survey_is_this_text_and_this_text_that_survey(void **state)
{
    char *text = survey_json_write(&example);
    char why[SURVEY_JSON_WHY_SIZE] = "";
    struct survey read;
    char *again;

    (void)state;
    assert_non_null(text);
    assert_string_equal(text, example_text);
    if (!survey_json_read(text, strlen(text), &read, why))
        fail_msg("%s", why);
    assert_int_equal(read.instance_count, 3);
    assert_int_equal(read.detail, SURVEY_DETAILS);
    assert_int_equal(read.taken_ms, T_MS);
    for (size_t i = 0; i < 3; i++) {
        const struct survey_instance *is = &read.instances[i], *was = &example.instances[i];

        assert_int_equal(is->instance, was->instance);
        assert_int_equal(is->is_known, was->is_known);
        assert_string_equal(is->why, was->why);
        assert_memory_equal(is->queues, was->queues, sizeof is->queues);
        assert_int_equal(is->state, was->state);
        assert_int_equal(is->up_since_ms, was->up_since_ms);
        assert_int_equal(is->flow.is_known, was->flow.is_known);
        assert_int_equal(is->flow.since_ms, was->flow.since_ms);
        assert_int_equal(is->flow.received_last_ms, was->flow.received_last_ms);
        assert_int_equal(is->flow.left_recipients, was->flow.left_recipients);
    }
    assert_int_equal(read.milter.up_since_ms, T_MS - 3);
    assert_int_equal(read.tcpmap.state, SURVEY_UP);
    again = survey_json_write(&read);
    assert_string_equal(again, text);
    free(text);
    free(again);
}

static void where_only_messages_are_counted_the_rest_is_null(void **state)
{
    struct survey survey = example, read;
    char why[SURVEY_JSON_WHY_SIZE] = "";
    char *text;

    (void)state;
    survey.detail = SURVEY_COUNTS;
    text = survey_json_write(&survey);
    assert_non_null(strstr(text, "\"detail\": \"counts\""));
    assert_non_null(strstr(text, "{\"messages\": 3, \"octets\": null, \"recipients\": null, "
                                 "\"oldest\": null, \"oldest_age_seconds\": null}"));
    assert_null(strstr(text, "\"octets\": 0"));
    assert_true(survey_json_read(text, strlen(text), &read, why));
    assert_int_equal(read.detail, SURVEY_COUNTS);
    assert_int_equal(read.instances[0].queues[QUEUE_INCOMING].messages, 3);
    assert_int_equal(read.instances[0].queues[QUEUE_INCOMING].octets, 0);
    free(text);
}

static void all_instances_that_there_can_be_have_room(void **state)
{
    static struct survey survey, read;
    char why[SURVEY_JSON_WHY_SIZE] = "";
    char *text;

    (void)state;
    for (int n = PEG_FIRST; n < SETTINGS_PRIORITY_MAX; n++)
        survey.instances[survey.instance_count++] =
            (struct survey_instance){.instance = n, .is_known = true};
    assert_int_equal(survey.instance_count, SURVEY_INSTANCES_MAX);
    text = survey_json_write(&survey);
    assert_true(survey_json_read(text, strlen(text), &read, why));
    assert_int_equal(read.instance_count, SURVEY_INSTANCES_MAX);
    assert_int_equal(read.instances[0].instance, PEG_URGENT);
    assert_int_equal(read.instances[1].instance, PEG_FRONTEND);
    assert_int_equal(read.instances[SURVEY_INSTANCES_MAX - 1].instance, 63);
    assert_non_null(strstr(text, "[{\"name\": \"postfix-urgent\", "));
    free(text);
}

static void a_reason_that_json_cannot_have_is_told_as_well_as_can_be(void **state)
{
    static const struct {
        const char *why, *expected;
    } reasons[] = {{"/a\xff"
                    "b\xc3\xa9: no",
                    "/a?b??: no"},
                   {"/\xc3\xa9\n\t: no", "/\xc3\xa9??: no"},
                   {"", "unknown"}};
    struct survey survey = {.instances = {{.instance = 0}}, .instance_count = 1}, read;
    char why[SURVEY_JSON_WHY_SIZE] = "";

    (void)state;
    for (size_t n = 0; n < LENGTH(reasons); n++) {
        char *text;

        snprintf(survey.instances[0].why, QUEUES_WHY_SIZE, "%s", reasons[n].why);
        text = survey_json_write(&survey);
        assert_true(survey_json_read(text, strlen(text), &read, why));
        assert_string_equal(read.instances[0].why, reasons[n].expected);
        free(text);
    }
}

static void numbers_beyond_what_json_has_exactly_become_the_largest(void **state)
{
    struct survey survey = {.detail = SURVEY_DETAILS,
                            .instances = {{.instance = 0,
                                           .is_known = true,
                                           .queues = {{.messages = 1, .octets = UINT64_MAX}}}},
                            .instance_count = 1};
    char *text = survey_json_write(&survey);

    (void)state;
    assert_non_null(strstr(text, "\"octets\": 9007199254740991,"));
    free(text);
}

/* Put `put` in the place of the first `find` after the first `after` in the example. */
static char *broken(const char *after, const char *find, const char *put)
{
    const char *from = strstr(example_text, after);
    const char *at = from != NULL ? strstr(from, find) : NULL;
    char *text = NULL;

    if (at == NULL)
        fail_msg("%s is not in the example after %s", find, after);
    assert_true(asprintf(&text, "%.*s%s%s", (int)(at - example_text), example_text, put,
                         at + strlen(find)) > 0);
    return text;
}

static const struct {
    const char *after, *find, *put, *why;
} wrong[] = {
    {"", "{\"version\"", "[\"version\"", "line 1: "},
    {"", "{\"version\": 1, ", "{\"version\": 2, ", "the version is not 1"},
    {"", "{\"version\": 1, ", "{", "the version is not 1"},
    {"", "{\"version\": 1, ", "{\"version\": 1, \"version\": 1, ", "duplicate"},
    {"", ".123Z", "Z", "taken is not a time"},
    {"", "11-26T", "11-31T", "taken is not a time"},
    {"", "\"2026-11-26T02:30:00.123Z\"", "null", "taken is not a time"},
    {"", "\"details\"", "\"some\"", "detail is neither"},
    {"", "\"details\"", "\"counts\"", "postfix-frontend: octets is not what follows"},
    {"", "\"instances\"", "\"others\"", "instances are missing"},
    {"", "postfix-frontend", "postfix64", "no name that one can have"},
    {"", "postfix-frontend", "postfix2", "postfix1 is not in its place"},
    {"", "postfix-frontend", "postfix1", "postfix1 is not in its place"},
    {"", "\"postfix1\"", "\"postfix01\"", "no name that one can have"},
    {"", "\"postfix1\"", "\"postfix-urgent\"", "postfix-urgent is not in its place"},
    {"", "\"postfix1\"", "17", "no name that one can have"},
    {"", "\"up\"", "\"UP\"", "postfix-frontend: the state is none of"},
    {"", "\"up\"", "1", "postfix-frontend: state is missing"},
    {"", "\"up\"", "\"down\"", "postfix-frontend: up_since of what is not up"},
    {"", "\"2026-11-26T02:30:00.122Z\"", "\"yesterday\"", "up_since is not a time"},
    {"", "\"2026-11-26T02:30:00.122Z\"", "1795660200", "up_since is not a time"},
    {"", "\"messages\": 4", "\"messages\": 5", "messages is not what follows"},
    {"", "\"messages\": 3", "\"messages\": 2", "messages is not what follows"},
    {"", "\"messages\": 3", "\"messages\": -3", "messages is not a whole number"},
    {"", "\"messages\": 3", "\"messages\": 3.0", "messages is not a whole number"},
    {"", "\"messages\": 3", "\"messages\": \"3\"", "messages is not a whole number"},
    {"", "\"messages\": 3", "\"messages\": 9007199254740992", "messages is not a whole"},
    {"", "\"octets\": 4711", "\"octets\": null", "octets is not a whole number"},
    {"", "\"octets\": 4711, ", "", "octets is not a whole number"},
    {"", "\"recipients\": 5", "\"recipients\": []", "recipients is not a whole number"},
    {"", "\"oldest_age_seconds\": 61", "\"oldest_age_seconds\": 62", "what follows"},
    {"", "\"oldest_age_seconds\": 61", "\"oldest_age_seconds\": null", "what follows"},
    {"", "\"active\"", "\"passive\"", "queue active is missing"},
    {"", "\"active\": {", "\"active\": [], \"b\": {", "queue active is missing"},
    {"", "\"error\": null", "\"error\": \"because\"", "queues and error"},
    {"", "\"error\": null, ", "", "queues and error"},
    {"postfix1", "\"queues\": null", "\"queues\": {}", "postfix1: queues and error"},
    {"postfix1", "\"messages\": null", "\"messages\": 0", "postfix1: messages is not what"},
    {"postfix1", "\"/var", "\"\\n/var", "postfix1: error has control characters"},
    {"postfix1", "\"/var", "\"\\u0000/var", "line 1: "},
    {"postfix1", "\"/var/spool/postfix1: Permission denied, run this as root\"", "\"\"",
     "postfix1: error is empty"},
    {"", "\"flow\": {", "\"flow\": [], \"b\": {", "flow is neither"},
    {"", "\"since\"", "\"until\"", "since is not a time"},
    {"", "\"received\"", "\"got\"", "received is missing in flow"},
    {"", "\"left\"", "\"gone\"", "left is missing in flow"},
    {"\"left\"", "\"octets\": 5", "\"octets\": false", "octets is not a whole number"},
    {"\"left\"", "\"last\": null", "\"last\": \"\"", "last is not a time"},
    {"", "\"milter\"", "\"filter\"", "milter: state is missing"},
    {"\"tcpmap\"", "\"up\"", "\"\"", "tcpmap: the state is none of"},
    {"\"tcpmap\"", "null}}", "null}", "line 1: "},
    {"\"tcpmap\"", "null}}", "null}}}", "line 1: "},
    {"", "{\"name\": \"postfix1\"", "7, {\"name\": \"postfix1\"", "no name that one can"},
};

static void what_is_no_survey_is_refused_with_a_reason(void **state)
{
    struct survey read = {.taken_ms = 17};

    (void)state;
    for (size_t n = 0; n < LENGTH(wrong); n++) {
        char *text = broken(wrong[n].after, wrong[n].find, wrong[n].put);
        char why[SURVEY_JSON_WHY_SIZE] = "";

        if (survey_json_read(text, strlen(text), &read, why))
            fail_msg("taken: %s", text);
        if (strstr(why, wrong[n].why) == NULL)
            fail_msg("%s is '%s', not '%s'", wrong[n].put, why, wrong[n].why);
        assert_int_equal(read.taken_ms, 17);
        free(text);
    }
}

static void every_document_that_is_cut_off_is_refused(void **state)
{
    struct survey read;
    char why[SURVEY_JSON_WHY_SIZE];

    (void)state;
    for (size_t len = 0; len < strlen(example_text); len++)
        assert_false(survey_json_read(example_text, len, &read, why));
}

static void keys_of_later_versions_are_passed_over(void **state)
{
    char *text = broken("", "\"error\": null", "\"colour\": \"red\", \"error\": null");
    char why[SURVEY_JSON_WHY_SIZE] = "";
    struct survey read;

    (void)state;
    assert_true(survey_json_read(text, strlen(text), &read, why));
    assert_int_equal(read.instance_count, 3);
    free(text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_survey_is_this_text_and_this_text_that_survey),
        cmocka_unit_test(where_only_messages_are_counted_the_rest_is_null),
        cmocka_unit_test(all_instances_that_there_can_be_have_room),
        cmocka_unit_test(a_reason_that_json_cannot_have_is_told_as_well_as_can_be),
        cmocka_unit_test(numbers_beyond_what_json_has_exactly_become_the_largest),
        cmocka_unit_test(what_is_no_survey_is_refused_with_a_reason),
        cmocka_unit_test(every_document_that_is_cut_off_is_refused),
        cmocka_unit_test(keys_of_later_versions_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
