/* test_alarms - limits of queues, and what operators are told of them and of what is down */
#include "survey/alarms.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/settings_of.h"

enum { NOW_S = 1000000, STORY_SIZE = 2048 };

/* A gateway with an instance 0 and 1, and what has been told of it. */
struct world {
    struct settings *settings;
    struct survey survey;
    struct alarms alarms;
    char story[STORY_SIZE];
};

static void set_limits(struct world *world, const char *lines)
{
    char text[256];

    if (world->settings != NULL)
        settings_free(&world->settings);
    snprintf(text, sizeof text, "PRIORITY_COUNT=2\nDEFAULT_PRIORITY=0\n%s", lines);
    world->settings = settings_of("", text);
}

static int set_up(void **state)
{
    static struct world world;

    world = (struct world){
        .survey = {.taken_ms = NOW_S * 1000LL,
                   .detail = SURVEY_DETAILS,
                   .instances = {{.instance = PEG_FRONTEND, .is_known = true, .state = SURVEY_UP},
                                 {.instance = 0, .is_known = true, .state = SURVEY_UP},
                                 {.instance = 1, .is_known = true, .state = SURVEY_UP}},
                   .instance_count = 3,
                   .milter = {.state = SURVEY_UP},
                   .tcpmap = {.state = SURVEY_UP}}};
    set_limits(&world, "");
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    settings_free(&((struct world *)*state)->settings);
    return 0;
}

static void tell(void *arg, const struct alarm_event *event)
{
    struct world *world = arg;
    char text[ALARM_TEXT_SIZE];
    size_t used = strlen(world->story);

    assert_int_equal(alarms_has(&world->alarms, &event->alarm), event->begins);
    alarms_text(event, text);
    snprintf(world->story + used, STORY_SIZE - used, "%c%s\n", event->begins ? '!' : '-', text);
}

/* A round tells this: lines, with `!` before what begins and `-` before what is over. */
static void expect(struct world *world, const char *story)
{
    world->story[0] = '\0';
    alarms_update(&world->alarms, world->settings, &world->survey, tell, world);
    assert_string_equal(world->story, story);
}

static void set_messages(struct world *world, int instance, enum queue queue, uint64_t messages)
{
    world->survey.instances[instance + 1].queues[queue].messages = messages;
}

static void set_age_s(struct world *world, int instance, enum queue queue, int64_t age_s)
{
    world->survey.instances[instance + 1].queues[queue].oldest_ms = (NOW_S - age_s) * 1000;
}

static void a_gateway_that_is_well_is_no_news(void **state)
{
    struct world *world = *state;

    set_messages(world, 1, QUEUE_DEFERRED, 1000000);
    set_age_s(world, 1, QUEUE_DEFERRED, 1000);
    expect(world, "");
}

static void what_is_down_is_told_once_and_once_when_it_is_up(void **state)
{
    struct world *world = *state;

    expect(world, "");
    world->survey.instances[2].state = SURVEY_DOWN;
    world->survey.milter.state = SURVEY_DOWN;
    expect(world, "!postfix1 is down\n!peg-milter is down\n");
    expect(world, "");
    world->survey.milter.state = SURVEY_UP;
    expect(world, "-peg-milter is up again\n");
    world->survey.instances[2].state = SURVEY_UP;
    world->survey.instances[0].state = SURVEY_DOWN;
    expect(world, "!postfix-frontend is down\n-postfix1 is up again\n");
    world->survey.instances[0].state = SURVEY_UP;
    world->survey.tcpmap.state = SURVEY_DOWN;
    expect(world, "-postfix-frontend is up again\n!peg-tcpmap is down\n");
}

static void
what_is_wrong_at_the_start_is_told_and_a_part_that_is_down_once_it_stays_so(void **state)
{
    struct world *world = *state;

    set_limits(world, "QUEUE_LIMIT_FRONTEND=5\n");
    set_messages(world, PEG_FRONTEND, QUEUE_HOLD, 6);
    world->survey.instances[1].state = SURVEY_DOWN;
    world->survey.instances[2].state = SURVEY_DOWN;
    expect(world, "!postfix-frontend: 6 messages in hold, over QUEUE_LIMIT 5\n");
    world->survey.instances[1].state = SURVEY_UP;
    expect(world, "!postfix1 is down\n");
    world->survey.instances[1].state = SURVEY_DOWN;
    expect(world, "!postfix0 is down\n");
}

static void an_instance_that_is_new_has_time_to_start(void **state)
{
    struct world *world = *state;

    world->survey.instance_count = 2;
    expect(world, "");
    world->survey.instance_count = 3;
    world->survey.instances[2].state = SURVEY_DOWN;
    expect(world, "");
    world->survey.instance_count = 2;
    expect(world, "");
    world->survey.instance_count = 3;
    expect(world, "");
    expect(world, "!postfix1 is down\n");
}

static void what_is_not_known_changes_nothing(void **state)
{
    struct world *world = *state;

    set_limits(world, "QUEUE_LIMIT_DEFAULT=5\nQUEUE_AGE_LIMIT_DEFAULT=60\n");
    world->survey.instances[1].state = SURVEY_UNKNOWN;
    world->survey.milter.state = SURVEY_UNKNOWN;
    world->survey.instances[1].is_known = false;
    set_messages(world, 0, QUEUE_ACTIVE, 6);
    expect(world, "");
    world->survey.instances[1].is_known = true;
    world->survey.instances[1].state = SURVEY_DOWN;
    set_age_s(world, 0, QUEUE_ACTIVE, 61);
    expect(world, "!postfix0 is down\n"
                  "!postfix0: 6 messages in active, over QUEUE_LIMIT 5\n"
                  "!postfix0: the oldest message in active is 61 s old, over QUEUE_AGE_LIMIT 60 "
                  "s\n");
    world->survey.instances[1].is_known = false;
    world->survey.instances[1].state = SURVEY_UNKNOWN;
    set_messages(world, 0, QUEUE_ACTIVE, 0);
    set_age_s(world, 0, QUEUE_ACTIVE, 0);
    expect(world, "");
    world->survey.instances[1].is_known = true;
    world->survey.detail = SURVEY_COUNTS; /* no ages */
    expect(world, "-postfix0: 0 messages in active, no more over QUEUE_LIMIT 5\n");
    world->survey.detail = SURVEY_DETAILS;
    world->survey.instances[1].has_old_details = true;
    expect(world, "");
    world->survey.instances[1].has_old_details = false;
    expect(world, "-postfix0: the oldest message in active is 0 s old, no more over "
                  "QUEUE_AGE_LIMIT 60 s\n");
}

static void the_urgent_frontend_has_limits_of_its_own_or_those_of_the_other(void **state)
{
    struct world *world = *state;
    struct survey_instance *urgent = &world->survey.instances[world->survey.instance_count++];

    *urgent = (struct survey_instance){
        .instance = PEG_URGENT,
        .is_known = true,
        .state = SURVEY_UP,
        .queues = {[QUEUE_ACTIVE] = {.messages = 6, .oldest_ms = (NOW_S - 90) * 1000LL}}};
    set_limits(world, "QUEUE_LIMIT_FRONTEND=5\nQUEUE_AGE_LIMIT_FRONTEND=60\n");
    expect(world, "!postfix-urgent: 6 messages in active, over QUEUE_LIMIT 5\n"
                  "!postfix-urgent: the oldest message in active is 90 s old, over QUEUE_AGE_LIMIT "
                  "60 s\n");
    set_limits(world, "QUEUE_LIMIT_FRONTEND=5\nQUEUE_LIMIT_URGENT=10\n"
                      "QUEUE_AGE_LIMIT_FRONTEND=60\nQUEUE_AGE_LIMIT_URGENT=0\n");
    urgent->state = SURVEY_DOWN;
    expect(world, "!postfix-urgent is down\n"
                  "-postfix-urgent: 6 messages in active, no more over QUEUE_LIMIT 10\n"
                  "-postfix-urgent: its queue active has no QUEUE_AGE_LIMIT any more\n");
    world->survey.instance_count--;
    expect(world, "-postfix-urgent is no part of this gateway any more\n");
}

static void each_queue_and_each_limit_is_by_itself(void **state)
{
    struct world *world = *state;

    set_limits(world, "QUEUE_LIMIT[1]=10\nQUEUE_AGE_LIMIT[1]=100\n");
    set_messages(world, 1, QUEUE_INCOMING, 11);
    set_messages(world, 1, QUEUE_ACTIVE, 10);
    set_messages(world, 0, QUEUE_ACTIVE, 11);
    set_age_s(world, 1, QUEUE_HOLD, 101);
    set_age_s(world, 1, QUEUE_ACTIVE, 100);
    expect(world, "!postfix1: 11 messages in incoming, over QUEUE_LIMIT 10\n"
                  "!postfix1: the oldest message in hold is 101 s old, over QUEUE_AGE_LIMIT 100 "
                  "s\n");
    set_messages(world, 1, QUEUE_DEFERRED, 12);
    set_messages(world, 1, QUEUE_INCOMING, 0);
    expect(world, "-postfix1: 0 messages in incoming, no more over QUEUE_LIMIT 10\n"
                  "!postfix1: 12 messages in deferred, over QUEUE_LIMIT 10\n");
}

static void one_that_goes_up_and_down_around_its_limit_is_one_trouble(void **state)
{
    struct world *world = *state;

    set_limits(world, "QUEUE_LIMIT[1]=100\n");
    set_messages(world, 1, QUEUE_ACTIVE, 101);
    expect(world, "!postfix1: 101 messages in active, over QUEUE_LIMIT 100\n");
    for (uint64_t messages = 91; messages < 110; messages++) {
        set_messages(world, 1, QUEUE_ACTIVE, messages);
        expect(world, "");
    }
    set_messages(world, 1, QUEUE_ACTIVE, 90);
    expect(world, "-postfix1: 90 messages in active, no more over QUEUE_LIMIT 100\n");
    set_messages(world, 1, QUEUE_ACTIVE, 100);
    expect(world, "");
}

static void a_reload_of_limits_begins_and_ends_alarms(void **state)
{
    struct world *world = *state;

    set_messages(world, 0, QUEUE_ACTIVE, 50);
    set_age_s(world, 0, QUEUE_ACTIVE, 500);
    expect(world, "");
    set_limits(world, "QUEUE_LIMIT[0]=49\nQUEUE_AGE_LIMIT[0]=499\n");
    expect(world, "!postfix0: 50 messages in active, over QUEUE_LIMIT 49\n"
                  "!postfix0: the oldest message in active is 500 s old, over QUEUE_AGE_LIMIT 499 "
                  "s\n");
    set_limits(world, "QUEUE_LIMIT[0]=56\n");
    expect(world, "-postfix0: 50 messages in active, no more over QUEUE_LIMIT 56\n"
                  "-postfix0: its queue active has no QUEUE_AGE_LIMIT any more\n");
}

static void a_limit_that_is_taken_away_ends_its_alarm_though_the_queue_is_not_known(void **state)
{
    struct world *world = *state;

    set_limits(world, "QUEUE_LIMIT[0]=1\n");
    set_messages(world, 0, QUEUE_ACTIVE, 2);
    expect(world, "!postfix0: 2 messages in active, over QUEUE_LIMIT 1\n");
    world->survey.instances[1].is_known = false;
    set_limits(world, "");
    expect(world, "-postfix0: its queue active has no QUEUE_LIMIT any more\n");
}

static void an_instance_that_is_gone_ends_its_alarms(void **state)
{
    struct world *world = *state;

    expect(world, "");
    set_limits(world, "QUEUE_LIMIT_DEFAULT=1\n");
    set_messages(world, 1, QUEUE_ACTIVE, 2);
    world->survey.instances[2].state = SURVEY_DOWN;
    expect(world, "!postfix1 is down\n!postfix1: 2 messages in active, over QUEUE_LIMIT 1\n");
    world->survey.instance_count = 2;
    expect(world, "-postfix1 is no part of this gateway any more\n"
                  "-postfix1: its queue active has no QUEUE_LIMIT any more\n");
    expect(world, "");
}

static void values_of_limits(void **state)
{
    const struct survey_queue empty = {.messages = 0};
    const struct survey_queue full = {.messages = UINT64_MAX, .oldest_ms = 5000};
    const struct survey at_6999 = {.taken_ms = 6999}, at_7000 = {.taken_ms = 7000};
    const struct survey before = {.taken_ms = 4000}; /* the clock was set back */

    (void)state;
    assert_int_equal(limits_value(&at_7000, &empty, LIMIT_MESSAGES), 0);
    assert_int_equal(limits_value(&at_7000, &empty, LIMIT_AGE), 0);
    assert_int_equal(limits_value(&at_7000, &full, LIMIT_MESSAGES), INT64_MAX);
    assert_int_equal(limits_value(&at_6999, &full, LIMIT_AGE), 1);
    assert_int_equal(limits_value(&at_7000, &full, LIMIT_AGE), 2);
    assert_int_equal(limits_value(&before, &full, LIMIT_AGE), 0);
}

static void when_a_value_is_over_a_limit(void **state)
{
    static const struct {
        int64_t value, limit;
        bool was_over, is_over;
    } cases[] = {
        {1000, 0, false, false}, {1000, 0, true, false}, {1, 1, false, false},
        {2, 1, false, true},     {1, 1, true, true},     {0, 1, true, false},
        {9, 10, true, false},    {10, 10, true, true},   {10, 10, false, false},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        assert_int_equal(limits_is_over(cases[i].value, cases[i].limit, cases[i].was_over),
                         cases[i].is_over);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_gateway_that_is_well_is_no_news),
        TEST(what_is_down_is_told_once_and_once_when_it_is_up),
        TEST(what_is_wrong_at_the_start_is_told_and_a_part_that_is_down_once_it_stays_so),
        TEST(an_instance_that_is_new_has_time_to_start),
        TEST(what_is_not_known_changes_nothing),
        TEST(the_urgent_frontend_has_limits_of_its_own_or_those_of_the_other),
        TEST(each_queue_and_each_limit_is_by_itself),
        TEST(one_that_goes_up_and_down_around_its_limit_is_one_trouble),
        TEST(a_reload_of_limits_begins_and_ends_alarms),
        TEST(a_limit_that_is_taken_away_ends_its_alarm_though_the_queue_is_not_known),
        TEST(an_instance_that_is_gone_ends_its_alarms),
        cmocka_unit_test(values_of_limits),
        cmocka_unit_test(when_a_value_is_over_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
