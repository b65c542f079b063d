/* test_prom_text - the text of peg.prom, to the letter */
#include "metrics/prom_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/file.h"
#include "metrics/prom_out.h"
#include "tests/unit/settings_of.h"

#define GOLDEN "tests/unit/prom/whole.prom"

enum { TEXT_MAX = 1 << 20, TAKEN_MS = 1000000, DURATION_MS = 1234 };

static struct survey survey;
static struct tallies tallies;

/* A gateway with one instance, which knows all of itself. */
static int set_up(void **state)
{
    (void)state;
    survey = (struct survey){
        .taken_ms = TAKEN_MS,
        .detail = SURVEY_DETAILS,
        .instances = {{.instance = PEG_FRONTEND,
                       .is_known = true,
                       .queues = {[QUEUE_INCOMING] = {1, 1000, 2, TAKEN_MS - 1500}},
                       .state = SURVEY_UP,
                       .up_since_ms = 500000,
                       .flow = {true, 0, 101, 102, 103, 104, 105, 106, 0, 0}},
                      {.instance = 0,
                       .is_known = true,
                       .queues = {[QUEUE_DEFERRED] = {12345678901234567, 7000, 9, 1},
                                  [QUEUE_HOLD] = {1, 1, 1, TAKEN_MS + 5000}},
                       .state = SURVEY_DOWN,
                       .flow = {.is_known = true}}},
        .instance_count = 2,
        .milter = {SURVEY_UP, 600250},
        .tcpmap = {.state = SURVEY_DOWN}};
    tallies = (struct tallies){
        .has_table = true,
        .table = {.capacity = 100000, .claims = 17},
        .has_store = true,
        .store = {4096, 900000, 2, 8192, 123456789},
        .bounces = {[PEG_URGENT - PEG_FIRST] = {true, {.bounces = 7}},
                    [PEG_FRONTEND - PEG_FIRST] = {.is_known = true},
                    [0 - PEG_FIRST] = {true, {5, .held_back = 2, .calls = 3, .failures = 1}}}};
    for (int n = 0; n < TABLE_COUNTERS; n++)
        tallies.counters[n] = 200 + (uint64_t)n;
    return 0;
}

/* To be freed. */
static char *make_text(const char *conf)
{
    struct settings *settings = settings_of("", conf);
    const struct prom_view view = {settings, &survey, &tallies, DURATION_MS};
    size_t len = 0;
    char *text = prom_text_make(&view, &len);

    settings_free(&settings);
    assert_non_null(text);
    assert_int_equal(strlen(text), len);
    return text;
}

static void expect(const char *line)
{
    char *text = make_text("PRIORITY_COUNT=2\n");
    bool found = strstr(text, line) != NULL;

    free(text);
    if (!found)
        fail_msg("there is no %s", line);
}

static void expect_none(const char *part)
{
    char *text = make_text("PRIORITY_COUNT=2\n");
    const char *found = strstr(text, part);

    if (found != NULL)
        fail_msg("there is: %.80s", found);
    free(text);
}

static const char *first_difference(const char *text, const char *golden)
{
    size_t at = 0;

    while (text[at] != '\0' && text[at] == golden[at])
        at++;
    return text + at;
}

static void all_that_is_known_is_written_to_the_letter(void **state)
{
    char *text = make_text("PRIORITY_COUNT=2\nDEFAULT_PRIORITY=0\nQUEUE_LIMIT_FRONTEND=500\n"
                           "QUEUE_AGE_LIMIT[0]=10m\n");
    size_t len;
    char *golden = file_read(GOLDEN, TEXT_MAX, &len);

    (void)state;
    assert_non_null(golden);
    if (strcmp(text, golden) != 0)
        fail_msg("it is not " GOLDEN ", from here on: %.200s", first_difference(text, golden));
    free(golden);
    free(text);
}

static void queues_that_could_not_be_read_have_no_figures_and_that_is_said(void **state)
{
    (void)state;
    survey.instances[1].is_known = false;
    expect("\npeg_postfix_readable{postfix=\"postfix0\",priority=\"0\"} 0\n");
    expect("\npeg_postfix_up{postfix=\"postfix0\",priority=\"0\"} 0\n");
    expect("\npeg_queue_messages{postfix=\"postfix-frontend\",priority=\"\",queue=\"hold\"} 0\n");
    expect_none("peg_queue_messages{postfix=\"postfix0\"");
    expect_none("peg_queue_bytes{postfix=\"postfix0\"");
    expect_none("peg_queue_recipients{postfix=\"postfix0\"");
    expect_none("peg_queue_oldest_message_age_seconds{postfix=\"postfix0\"");
}

static void what_nobody_knows_is_left_out(void **state)
{
    (void)state;
    survey.instances[0].state = SURVEY_UNKNOWN;
    survey.instances[0].flow.is_known = false;
    survey.milter.state = SURVEY_UNKNOWN;
    survey.tcpmap = (struct survey_daemon){.state = SURVEY_UP, .up_since_ms = 0};
    tallies.bounces[PEG_FRONTEND - PEG_FIRST].is_known = false;
    expect_none("peg_postfix_up{postfix=\"postfix-frontend\"");
    expect_none("peg_postfix_start_time_seconds{postfix=\"postfix-frontend\"");
    expect_none("_total{postfix=\"postfix-frontend\"");
    expect_none("daemon=\"peg-milter\"");
    expect_none("peg_daemon_start_time_seconds");
    expect("\npeg_daemon_up{daemon=\"peg-tcpmap\"} 1\n");
}

static void the_urgent_frontend_has_no_priority_and_limits_of_its_own(void **state)
{
    const char *conf = "PRIORITY_COUNT=2\nURGENT_LISTEN=2525\nQUEUE_LIMIT_FRONTEND=500\n"
                       "QUEUE_LIMIT_URGENT=20\nQUEUE_AGE_LIMIT_FRONTEND=60\n";
    static const char *const lines[] = {
        "\npeg_postfix_up{postfix=\"postfix-urgent\",priority=\"\"} 1\n"
        "peg_postfix_up{postfix=\"postfix-frontend\",priority=\"\"} 1\n",
        "\npeg_bounces_total{postfix=\"postfix-urgent\",priority=\"\"} 7\n",
        "\npeg_postfix_left_messages_total{postfix=\"postfix-urgent\",priority=\"\"} 3\n",
        "\npeg_queue_messages{postfix=\"postfix-urgent\",priority=\"\",queue=\"active\"} 4\n",
        "\npeg_queue_messages_limit{postfix=\"postfix-urgent\",priority=\"\",queue=\"hold\"} 20\n",
        "\npeg_queue_age_limit_seconds{postfix=\"postfix-urgent\",priority=\"\",queue=\"hold\"} "
        "60\n",
    };
    char *text;

    (void)state;
    memmove(survey.instances + 1, survey.instances,
            survey.instance_count++ * sizeof *survey.instances);
    survey.instances[0] = (struct survey_instance){.instance = PEG_URGENT,
                                                   .is_known = true,
                                                   .queues = {[QUEUE_ACTIVE] = {.messages = 4}},
                                                   .state = SURVEY_UP,
                                                   .flow = {.is_known = true, .left_messages = 3}};
    text = make_text(conf);
    for (size_t i = 0; i < LENGTH(lines); i++)
        if (strstr(text, lines[i]) == NULL)
            fail_msg("there is no %s", lines[i]);
    assert_null(strstr(text, "peg_postfix_priority{postfix=\"postfix-urgent\""));
    free(text);
}

static void without_details_only_messages_are_known(void **state)
{
    (void)state;
    survey.detail = SURVEY_COUNTS;
    expect("\npeg_queue_messages{postfix=\"postfix0\",priority=\"0\",queue=\"hold\"} 1\n");
    expect_none("peg_queue_bytes");
    expect_none("peg_queue_recipients");
    expect_none("peg_queue_oldest");
}

static void without_table_or_store_that_is_said(void **state)
{
    (void)state;
    tallies.has_table = tallies.has_store = false;
    expect("\npeg_table_readable 0\n");
    expect("\npeg_store_readable 0\n");
    expect_none("peg_table_capacity");
    expect_none("peg_lookups");
    expect_none("peg_journal_");
    expect_none("peg_snapshot");
}

static void before_the_first_snapshot_it_has_no_time(void **state)
{
    (void)state;
    tallies.store.snapshot_bytes = 0;
    tallies.store.snapshot_ms = 0;
    expect("\npeg_snapshot_bytes 0\n");
    expect_none("peg_snapshot_timestamp_seconds");
}

/* Many instances, and no number is lost. */
static void the_largest_gateway_has_all_its_samples(void **state)
{
    char *text;
    size_t samples = 0;

    (void)state;
    survey.instance_count = SURVEY_INSTANCES_MAX;
    for (size_t i = 0; i < SURVEY_INSTANCES_MAX; i++)
        survey.instances[i] =
            (struct survey_instance){.instance = (int)i + PEG_FIRST, .is_known = true};
    text = make_text("PRIORITY_COUNT=64\n");
    for (const char *at = text; (at = strstr(at, "\npeg_queue_messages{")) != NULL; at++)
        samples++;
    assert_int_equal(samples, SURVEY_INSTANCES_MAX * QUEUE_COUNT);
    assert_non_null(strstr(text, "{postfix=\"postfix63\",priority=\"63\",queue=\"hold\"} 0\n"));
    free(text);
}

static void milliseconds_become_seconds(void **state)
{
    (void)state;
    assert_int_equal(prom_seconds(1234).whole, 1);
    assert_int_equal(prom_seconds(1234).thousandths, 234);
    assert_int_equal(prom_seconds(999).whole, 0);
    assert_int_equal(prom_seconds(-1).whole, 0);
    assert_int_equal(prom_seconds(-1).thousandths, 0);
    assert_int_equal(prom_seconds(INT64_MAX).whole, INT64_MAX / 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_that_is_known_is_written_to_the_letter, set_up),
        cmocka_unit_test_setup(queues_that_could_not_be_read_have_no_figures_and_that_is_said,
                               set_up),
        cmocka_unit_test_setup(what_nobody_knows_is_left_out, set_up),
        cmocka_unit_test_setup(the_urgent_frontend_has_no_priority_and_limits_of_its_own, set_up),
        cmocka_unit_test_setup(without_details_only_messages_are_known, set_up),
        cmocka_unit_test_setup(without_table_or_store_that_is_said, set_up),
        cmocka_unit_test_setup(before_the_first_snapshot_it_has_no_time, set_up),
        cmocka_unit_test_setup(the_largest_gateway_has_all_its_samples, set_up),
        cmocka_unit_test(milliseconds_become_seconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
