/* test_show_check - the line, the exit status and the figures of peg-showqueues --check */
#include "showqueues/show_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/settings_of.h"

#define T_MS INT64_C(1795660200123)

static const struct survey healthy = {
    .taken_ms = T_MS,
    .detail = SURVEY_DETAILS,
    .instances = {{.instance = PEG_FRONTEND, .is_known = true, .state = SURVEY_UP},
                  {.instance = 0,
                   .is_known = true,
                   .state = SURVEY_UP,
                   .queues = {[QUEUE_DEFERRED] = {.messages = 12, .oldest_ms = T_MS - 273906000},
                              [QUEUE_HOLD] = {.messages = 1, .oldest_ms = T_MS - 33999}}}},
    .instance_count = 2,
    .milter = {.state = SURVEY_UP},
    .tcpmap = {.state = SURVEY_UP}};

static const struct show_options no_levels = {
    .is_whole = true, .levels = {{SHOW_NO_LEVEL, SHOW_NO_LEVEL}, {SHOW_NO_LEVEL, SHOW_NO_LEVEL}}};

/* Judge, and compare the line up to its figures, or with them where `expected` has a `|`. */
static void expect(const struct show_options *options, const char *conf,
                   const struct survey *survey, enum show_check status, const char *expected)
{
    struct settings *settings = settings_of("", conf);
    char *line = NULL;
    size_t len;
    FILE *out = open_memstream(&line, &len);

    assert_non_null(out);
    assert_int_equal(show_check_print(options, settings, survey, out), status);
    assert_int_equal(fclose(out), 0);
    assert_ptr_equal(strchr(line, '\n'), line + len - 1);
    assert_non_null(strchr(line, '|'));
    if (strchr(expected, '|') == NULL)
        strstr(line, " |")[0] = '\0';
    assert_string_equal(line, expected);
    free(line);
    settings_free(&settings);
}

#define CONF "PRIORITY_COUNT=2\nDEFAULT_PRIORITY=0\n"

static void a_healthy_gateway_is_one_line_with_all_figures(void **state)
{
    (void)state;
    expect(&no_levels, CONF, &healthy, SHOW_CHECK_OK,
           "PEG OK - 13 messages, oldest 3d 04:05:06 |"
           " 'postfix-frontend-incoming'=0;;;0 'postfix-frontend-incoming-age'=0s;;;0"
           " 'postfix-frontend-active'=0;;;0 'postfix-frontend-active-age'=0s;;;0"
           " 'postfix-frontend-deferred'=0;;;0 'postfix-frontend-deferred-age'=0s;;;0"
           " 'postfix-frontend-hold'=0;;;0 'postfix-frontend-hold-age'=0s;;;0"
           " 'postfix0-incoming'=0;;;0 'postfix0-incoming-age'=0s;;;0"
           " 'postfix0-active'=0;;;0 'postfix0-active-age'=0s;;;0"
           " 'postfix0-deferred'=12;;;0 'postfix0-deferred-age'=273906s;;;0"
           " 'postfix0-hold'=1;;;0 'postfix0-hold-age'=33s;;;0\n");
}

static void the_urgent_frontend_has_limits_of_its_own(void **state)
{
    struct survey survey = healthy;

    (void)state;
    survey.instances[0].instance = PEG_URGENT;
    survey.instances[0].queues[QUEUE_HOLD] =
        (struct survey_queue){.messages = 3, .oldest_ms = T_MS - 61000};
    survey.instance_count = 1;
    expect(&no_levels, CONF "QUEUE_LIMIT_FRONTEND=1\nQUEUE_LIMIT_URGENT=3\n", &survey,
           SHOW_CHECK_OK,
           "PEG OK - 3 messages, oldest 00:01:01 |"
           " 'postfix-urgent-incoming'=0;3;;0 'postfix-urgent-incoming-age'=0s;;;0"
           " 'postfix-urgent-active'=0;3;;0 'postfix-urgent-active-age'=0s;;;0"
           " 'postfix-urgent-deferred'=0;3;;0 'postfix-urgent-deferred-age'=0s;;;0"
           " 'postfix-urgent-hold'=3;3;;0 'postfix-urgent-hold-age'=61s;;;0\n");
    expect(&no_levels, CONF "QUEUE_LIMIT_FRONTEND=1\nQUEUE_AGE_LIMIT_URGENT=60\n", &survey,
           SHOW_CHECK_WARNING,
           "PEG WARNING - postfix-urgent hold: 3 messages, more than 1; "
           "postfix-urgent hold: oldest 00:01:01, more than 00:01:00");
}

static void figures_have_the_levels_that_count(void **state)
{
    struct survey survey = healthy;
    const struct show_options options = {.is_whole = true,
                                         .levels = {{20, SHOW_NO_LEVEL}, {30, 0}}};

    (void)state;
    survey.instances[0] = survey.instances[1];
    survey.instance_count = 1;
    memset(survey.instances[0].queues, 0, sizeof survey.instances[0].queues);
    expect(&options, CONF "QUEUE_LIMIT[0]=15\nQUEUE_AGE_LIMIT_DEFAULT=1h\n", &survey, SHOW_CHECK_OK,
           "PEG OK - 0 messages |"
           " 'postfix0-incoming'=0;15;30;0 'postfix0-incoming-age'=0s;3600;0;0"
           " 'postfix0-active'=0;15;30;0 'postfix0-active-age'=0s;3600;0;0"
           " 'postfix0-deferred'=0;15;30;0 'postfix0-deferred-age'=0s;3600;0;0"
           " 'postfix0-hold'=0;15;30;0 'postfix0-hold-age'=0s;3600;0;0\n");
}

static const struct {
    struct show_levels levels;
    const char *conf;
    enum show_check status;
    const char *line;
} levels_of[] = {
    {{{12, -1}, {12, -1}}, CONF, SHOW_CHECK_OK, "PEG OK - 13 messages, oldest 3d 04:05:06"},
    {{{11, -1}, {12, -1}},
     CONF,
     SHOW_CHECK_WARNING,
     "PEG WARNING - postfix0 deferred: 12 messages, more than 11"},
    {{{11, -1}, {11, -1}},
     CONF,
     SHOW_CHECK_CRITICAL,
     "PEG CRITICAL - postfix0 deferred: 12 messages, more than 11"},
    {{{-1, -1}, {0, -1}},
     CONF,
     SHOW_CHECK_CRITICAL,
     "PEG CRITICAL - postfix0 deferred: 12 messages, more than 0; "
     "postfix0 hold: 1 messages, more than 0"},
    {{{-1, 273906}, {-1, -1}}, CONF, SHOW_CHECK_OK, "PEG OK - 13 messages, oldest 3d 04:05:06"},
    {{{-1, 273905}, {-1, -1}},
     CONF,
     SHOW_CHECK_WARNING,
     "PEG WARNING - postfix0 deferred: oldest 3d 04:05:06, more than 3d 04:05:05"},
    {{{-1, 30}, {-1, 3600}},
     CONF,
     SHOW_CHECK_CRITICAL,
     "PEG CRITICAL - postfix0 deferred: oldest 3d 04:05:06, more than 01:00:00; "
     "postfix0 hold: oldest 00:00:33, more than 00:00:30"},
    {{{-1, -1}, {-1, -1}},
     CONF "QUEUE_LIMIT[0]=11\nQUEUE_LIMIT_FRONTEND=1\n",
     SHOW_CHECK_WARNING,
     "PEG WARNING - postfix0 deferred: 12 messages, more than 11"},
    {{{100, -1}, {-1, -1}},
     CONF "QUEUE_LIMIT[0]=11\n",
     SHOW_CHECK_WARNING,
     "PEG WARNING - postfix0 deferred: 12 messages, more than 11"},
    {{{10, -1}, {-1, -1}},
     CONF "QUEUE_LIMIT[0]=11\n",
     SHOW_CHECK_WARNING,
     "PEG WARNING - postfix0 deferred: 12 messages, more than 10"},
    {{{-1, -1}, {-1, -1}},
     CONF "QUEUE_LIMIT[1]=1\nQUEUE_AGE_LIMIT[0]=4d\n",
     SHOW_CHECK_OK,
     "PEG OK - 13 messages, oldest 3d 04:05:06"},
    {{{-1, -1}, {-1, -1}},
     CONF "QUEUE_AGE_LIMIT[0]=3d\n",
     SHOW_CHECK_WARNING,
     "PEG WARNING - postfix0 deferred: oldest 3d 04:05:06, more than 3d 00:00:00"},
};

static void what_is_beyond_a_level_is_named(void **state)
{

    (void)state;
    for (size_t n = 0; n < LENGTH(levels_of); n++) {
        const struct show_options options = {.is_whole = true, .levels = levels_of[n].levels};

        expect(&options, levels_of[n].conf, &healthy, levels_of[n].status, levels_of[n].line);
    }
}

static void what_does_not_run_is_critical(void **state)
{
    struct survey survey = healthy;
    struct show_options one = no_levels;

    (void)state;
    survey.instances[1].state = SURVEY_DOWN;
    expect(&no_levels, CONF, &survey, SHOW_CHECK_CRITICAL, "PEG CRITICAL - postfix0 is down");
    survey.milter.state = SURVEY_DOWN;
    survey.tcpmap.state = SURVEY_DOWN;
    survey.instances[0].state = SURVEY_DOWN;
    expect(&no_levels, CONF, &survey, SHOW_CHECK_CRITICAL,
           "PEG CRITICAL - peg-milter is down; peg-tcpmap is down; postfix-frontend is down; "
           "postfix0 is down");
    one.is_whole = false; /* the daemons belong to no instance */
    survey.instance_count = 1;
    expect(&one, CONF, &survey, SHOW_CHECK_CRITICAL, "PEG CRITICAL - postfix-frontend is down");
}

static void what_cannot_be_seen_is_unknown_unless_there_is_worse(void **state)
{
    struct survey survey = healthy;
    struct show_options options = no_levels;

    (void)state;
    survey.tcpmap.state = SURVEY_UNKNOWN;
    expect(&options, CONF, &survey, SHOW_CHECK_UNKNOWN,
           "PEG UNKNOWN - whether peg-tcpmap runs cannot be seen");
    survey.instances[0].is_known = false;
    snprintf(survey.instances[0].why, QUEUES_WHY_SIZE, "/a|b\n: no");
    expect(&options, CONF, &survey, SHOW_CHECK_UNKNOWN,
           "PEG UNKNOWN - whether peg-tcpmap runs cannot be seen; /a!b?: no");
    options.levels.warning[LIMIT_MESSAGES] = 3;
    expect(&options, CONF, &survey, SHOW_CHECK_WARNING,
           "PEG WARNING - postfix0 deferred: 12 messages, more than 3; "
           "whether peg-tcpmap runs cannot be seen; /a!b?: no");
    survey.milter.state = SURVEY_DOWN;
    expect(&options, CONF, &survey, SHOW_CHECK_CRITICAL,
           "PEG CRITICAL - peg-milter is down; postfix0 deferred: 12 messages, more than 3; "
           "whether peg-tcpmap runs cannot be seen; /a!b?: no");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_healthy_gateway_is_one_line_with_all_figures),
        cmocka_unit_test(the_urgent_frontend_has_limits_of_its_own),
        cmocka_unit_test(figures_have_the_levels_that_count),
        cmocka_unit_test(what_is_beyond_a_level_is_named),
        cmocka_unit_test(what_does_not_run_is_critical),
        cmocka_unit_test(what_cannot_be_seen_is_unknown_unless_there_is_worse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
