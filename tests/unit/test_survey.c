/* test_survey - which instances are counted, and what becomes of one that cannot be */
#include "monitor/survey.h"

#include "tests/unit/queues_fixture.h"
#include "tests/unit/settings_of.h"

static void the_frontend_and_all_instances_of_this_host_are_counted(void **state)
{
    const char *root = *state;
    struct settings *settings =
        settings_of(root, "PRIORITY_COUNT=3\nINSTANCE_NEXTHOP[1]=\"[192.0.2.1]:25\"\n");
    struct survey survey;

    make_queues(root, "var/spool/postfix-frontend");
    make_queues(root, "var/spool/postfix0");
    make_queues(root, "var/spool/postfix2");
    make_file(root, "var/spool/postfix-frontend/active/A123456");
    make_file(root, "var/spool/postfix2/deferred/B123456");
    assert_true(survey_take(settings, SURVEY_COUNTS, NULL, NULL, &survey));
    assert_int_equal(survey.instance_count, 3);
    assert_int_equal(survey.instances[0].instance, PEG_FRONTEND);
    assert_int_equal(survey.instances[0].queues[QUEUE_ACTIVE].messages, 1);
    assert_int_equal(survey.instances[1].instance, 0);
    assert_int_equal(survey_messages(&survey.instances[1]), 0);
    assert_int_equal(survey.instances[2].instance, 2);
    assert_int_equal(survey.instances[2].queues[QUEUE_DEFERRED].messages, 1);
    for (size_t i = 0; i < 3; i++)
        assert_true(survey.instances[i].is_known);
    assert_int_equal(survey.milter.state, SURVEY_DOWN);
    settings_free(&settings);
}

static void one_that_cannot_be_counted_says_why_and_the_others_are(void **state)
{
    const char *root = *state;
    struct settings *settings = settings_of(root, "PRIORITY_COUNT=2\n");
    struct survey survey;

    make_queues(root, "var/spool/postfix-frontend");
    make_queues(root, "var/spool/postfix1");
    make_file(root, "var/spool/postfix1/hold/B123456");
    assert_true(survey_take(settings, SURVEY_COUNTS, NULL, NULL, &survey));
    assert_int_equal(survey.instance_count, 3);
    assert_true(survey.instances[0].is_known);
    assert_false(survey.instances[1].is_known);
    assert_non_null(strstr(survey.instances[1].why, "/var/spool/postfix0: No such file"));
    assert_int_equal(survey.instances[2].queues[QUEUE_HOLD].messages, 1);
    settings_free(&settings);
}

static bool is_over_the_second_time(void *arg)
{
    int *asked = arg;

    return ++*asked == 2;
}

static void it_ends_between_two_instances_as_well(void **state)
{
    const char *root = *state;
    struct settings *settings = settings_of(root, "PRIORITY_COUNT=2\n");
    struct survey survey;
    int asked = 0;

    make_queues(root, "var/spool/postfix-frontend");
    make_queues(root, "var/spool/postfix0");
    assert_false(survey_take(settings, SURVEY_COUNTS, is_over_the_second_time, &asked, &survey));
    assert_int_equal(asked, 2);
    settings_free(&settings);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_frontend_and_all_instances_of_this_host_are_counted),
        TEST(one_that_cannot_be_counted_says_why_and_the_others_are),
        TEST(it_ends_between_two_instances_as_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
