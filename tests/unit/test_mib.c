/* test_mib - the tables of MTA-MIB and NETWORK-SERVICES-MIB, without an agent: values and order */
#include "snmp/mib.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { NOW_S = 2000000, UPTIME_S = 1000, OIDS_MAX = 4000 };

static int64_t ago(int64_t s)
{
    return (NOW_S - s) * 1000;
}

/* The frontend and instance 4, all of them known. */
static struct survey survey_of_two(void)
{
    return (struct survey){
        .taken_ms = ago(10),
        .detail = SURVEY_DETAILS,
        .instances =
            {{.instance = PEG_FRONTEND,
              .is_known = true,
              .state = SURVEY_UP,
              .up_since_ms = ago(100),
              .queues = {{1, 1500, 2, ago(20)}, {2, 2560, 3, ago(70)}, {0}, {4, 511, 4, ago(3000)}},
              .flow = {.is_known = true,
                       .received_messages = (1ULL << 32) + 5,
                       .received_octets = (1ULL << 42) + 2048,
                       .received_recipients = 7,
                       .left_messages = 8,
                       .left_octets = 1535,
                       .left_recipients = 10,
                       .received_last_ms = ago(2),
                       .left_last_ms = ago(5000)}},
             {.instance = 4, .is_known = true, .state = SURVEY_DOWN}},
        .instance_count = 2,
        .milter = {.state = SURVEY_UP, .up_since_ms = ago(2000)},
        .tcpmap = {.state = SURVEY_UNKNOWN}};
}

/* A survey as it is published, and what objects are made from it. */
struct world {
    struct latest *latest;
    struct latest_survey *survey;
    struct mib_source source;
};

static void set_up_with(struct world *world, const struct survey *survey)
{
    world->latest = latest_new();
    assert_non_null(world->latest);
    assert_true(latest_publish(world->latest, survey));
    world->survey = latest_get(world->latest);
    world->source = (struct mib_source){.latest = world->survey,
                                        .postfix_version = "3.7.11",
                                        .version = "0.1.0",
                                        .started_ms = ago(UPTIME_S)};
}

static void end(struct world *world)
{
    latest_put(world->latest, &world->survey);
    latest_free(&world->latest);
}

static size_t parse(const char *name, uint32_t ids_r[16])
{
    size_t len = 0;

    for (; *name != '\0'; name += strcspn(name, "."), name += *name == '.') {
        unsigned id;

        assert_int_equal(sscanf(name, "%u", &id), 1);
        ids_r[len++] = id;
    }
    return len;
}

static void print(const struct mib_value *value, char text_r[160])
{
    static const char *const types[] = {"INTEGER", "Gauge32", "Counter32", "TimeTicks", "STRING"};

    if (value->type == MIB_STRING)
        snprintf(text_r, 160, "STRING %s", value->text);
    else if (value->type == MIB_INTEGER)
        snprintf(text_r, 160, "INTEGER %d", (int)value->number);
    else
        snprintf(text_r, 160, "%s %u", types[value->type], value->number);
}

/* GET of a name below mib-2; NULL: there is no such object. */
static void expect(const struct world *world, const char *name, const char *expected)
{
    uint32_t ids[16];
    size_t len = parse(name, ids);
    struct mib_value value;
    char text[160] = "nothing";

    if (mib_get(&world->source, ids, len, &value))
        print(&value, text);
    if (strcmp(text, expected != NULL ? expected : "nothing") != 0)
        fail_msg("%s is %s", name, text);
}

static const struct {
    const char *name, *expected;
} objects[] = {
    {"27.1.1.1.1", NULL}, /* applIndex is not accessible */
    {"27.1.1.2.1", "STRING postfix-frontend"},
    {"27.1.1.2.6", "STRING postfix4"},
    {"27.1.1.2.66", "STRING peg-milter"},
    {"27.1.1.2.67", "STRING peg-tcpmap"},
    {"27.1.1.2.2", NULL},
    {"27.1.1.3.1", "STRING "},
    {"27.1.1.4.6", "STRING Postfix 3.7.11"},
    {"27.1.1.4.66", "STRING 0.1.0"},
    {"27.1.1.5.1", "TimeTicks 90000"}, /* 100 s ago, at an uptime of 1000 s */
    {"27.1.1.5.6", NULL},
    {"27.1.1.5.66", "TimeTicks 0"}, /* before the agent */
    {"27.1.1.6.1", "INTEGER 1"},
    {"27.1.1.6.6", "INTEGER 2"},
    {"27.1.1.6.67", NULL},
    {"27.1.1.7.1", "TimeTicks 90000"},
    {"27.1.1.7.6", NULL},
    {"27.1.1.8.1", NULL},
    {"27.1.1.12.1", "TimeTicks 99800"},
    {"27.1.1.13.1", "TimeTicks 0"},
    {"27.1.1.12.66", NULL},
    {"27.1.1.16.6", "STRING Postfix that delivers priority 4"},
    {"27.1.1.17.6", NULL},
    {"28.1.1.1.1", "Counter32 5"}, /* wrapped */
    {"28.1.1.1.6", NULL},          /* nobody has watched it */
    {"28.1.1.1.66", NULL},
    {"28.1.1.2.1", "Gauge32 7"},
    {"28.1.1.3.1", "Counter32 8"},
    {"28.1.1.4.1", "Counter32 2"}, /* kilo-octets, wrapped */
    {"28.1.1.5.1", "Gauge32 4"},   /* 4571 octets */
    {"28.1.1.6.1", "Counter32 1"}, /* 1535 octets */
    {"28.1.1.7.1", "Counter32 7"},
    {"28.1.1.8.1", "Gauge32 9"},
    {"28.1.1.9.1", "Counter32 10"},
    {"28.1.1.10.1", NULL},
    {"28.2.1.1.1.1", NULL},
    {"28.2.1.4.1.2", "Gauge32 2"},
    {"28.2.1.4.6.4", "Gauge32 0"},
    {"28.2.1.4.1.5", NULL},
    {"28.2.1.4.1.0", NULL},
    {"28.2.1.7.1.1", "Gauge32 1"},
    {"28.2.1.7.1.2", "Gauge32 3"}, /* 2.5 */
    {"28.2.1.7.1.4", "Gauge32 0"}, /* 511 octets */
    {"28.2.1.10.1.2", "Gauge32 3"},
    {"28.2.1.12.1.1", "INTEGER 1000"}, /* when the survey was taken */
    {"28.2.1.12.1.3", "INTEGER 0"},
    {"28.2.1.12.1.4", "INTEGER 299000"},
    {"28.2.1.25.6.3", "STRING deferred"},
    {"28.2.1.28.6.3", "STRING queue deferred"},
    {"28.2.1.31.6.3", "INTEGER -1"},
    {"", NULL},
    {"28", NULL},
    {"28.1.1", NULL},
    {"28.1.1.2", NULL},
    {"28.1.1.2.1.1", NULL},
    {"28.2.1.4.1", NULL},
    {"28.2.1.4.1.1.1", NULL},
    {"28.1.1.2.0", NULL},
    {"28.1.1.2.4294967295", NULL},
    {"26.1.1.2.1", NULL},
};

static void each_object_has_the_value_that_its_rfc_says(void **state)
{
    const struct survey survey = survey_of_two();
    struct world world;

    (void)state;
    set_up_with(&world, &survey);
    for (size_t i = 0; i < LENGTH(objects); i++)
        expect(&world, objects[i].name, objects[i].expected);
    end(&world);
}

/* Put the urgent frontend before the others, as surveys have it. */
static void add_urgent(struct survey *survey)
{
    memmove(survey->instances + 1, survey->instances,
            survey->instance_count * sizeof *survey->instances);
    survey->instances[0] = (struct survey_instance){
        .instance = PEG_URGENT,
        .is_known = true,
        .state = SURVEY_UP,
        .up_since_ms = ago(200),
        .queues = {[QUEUE_ACTIVE] = {5, 4096, 6, ago(30)}},
        .flow = {.is_known = true, .received_messages = 11, .left_messages = 6}};
    survey->instance_count++;
}

static const struct {
    const char *name, *expected;
} urgent_objects[] = {
    {"27.1.1.2.68", "STRING postfix-urgent"},
    {"27.1.1.5.68", "TimeTicks 80000"},
    {"27.1.1.6.68", "INTEGER 1"},
    {"27.1.1.16.68", "STRING Postfix that receives what must not wait"},
    {"28.1.1.1.68", "Counter32 11"},
    {"28.1.1.2.68", "Gauge32 5"},
    {"28.2.1.4.68.2", "Gauge32 5"},
    {"28.2.1.7.68.2", "Gauge32 4"},
    {"28.2.1.12.68.2", "INTEGER 2000"},
    {"27.1.1.2.0", NULL},
    {"27.1.1.2.69", NULL},
};

static void the_urgent_frontend_has_an_index_behind_those_of_the_others(void **state)
{
    struct survey survey = survey_of_two();
    struct world world;

    (void)state;
    set_up_with(&world, &survey);
    for (size_t i = 0; i < LENGTH(urgent_objects); i++)
        expect(&world, urgent_objects[i].name, NULL);
    end(&world);
    add_urgent(&survey);
    set_up_with(&world, &survey);
    for (size_t i = 0; i < LENGTH(urgent_objects); i++)
        expect(&world, urgent_objects[i].name, urgent_objects[i].expected);
    for (size_t i = 0; i < LENGTH(objects); i++)
        expect(&world, objects[i].name, objects[i].expected);
    end(&world);
    for (int n = PEG_FRONTEND; n < MONITORED_END; n++)
        assert_int_equal(mib_appl_index(n), n + 2);
    assert_int_equal(mib_appl_index(PEG_URGENT), 68);
}

static void what_is_not_known_is_not_there(void **state)
{
    struct survey survey = survey_of_two();
    struct world world;

    (void)state;
    survey.detail = SURVEY_COUNTS;
    survey.instances[1].is_known = false;
    survey.instances[0].flow.is_known = false;
    set_up_with(&world, &survey);
    world.source.postfix_version = "";
    expect(&world, "27.1.1.4.1", NULL);
    expect(&world, "27.1.1.12.1", NULL);
    expect(&world, "28.1.1.1.1", NULL);
    expect(&world, "28.1.1.2.1", "Gauge32 7");
    expect(&world, "28.1.1.5.1", NULL);
    expect(&world, "28.1.1.8.1", NULL);
    expect(&world, "28.2.1.4.1.1", "Gauge32 1");
    expect(&world, "28.2.1.7.1.1", NULL);
    expect(&world, "28.2.1.10.1.1", NULL);
    expect(&world, "28.2.1.12.1.1", NULL);
    expect(&world, "28.1.1.2.6", NULL);
    expect(&world, "28.2.1.25.6.1", NULL);
    end(&world);
}

static void what_is_too_large_for_its_type_is_the_greatest_of_it(void **state)
{
    struct survey survey = survey_of_two();
    struct world world;

    (void)state;
    survey.instances[0].queues[0] =
        (struct survey_queue){UINT64_MAX / 8, UINT64_MAX / 8, UINT64_MAX / 8, 1};
    survey.instances[0].queues[1].oldest_ms = survey.taken_ms + 5000; /* the clock was set back */
    survey.taken_ms = INT64_MAX;
    set_up_with(&world, &survey);
    expect(&world, "28.2.1.4.1.1", "Gauge32 4294967295");
    expect(&world, "28.2.1.7.1.1", "Gauge32 4294967295");
    expect(&world, "28.2.1.10.1.1", "Gauge32 4294967295");
    expect(&world, "28.2.1.12.1.1", "INTEGER 2147483647");
    expect(&world, "28.1.1.2.1", "Gauge32 4294967295");
    end(&world);
}

static int compare(const struct mib_oid *a, const struct mib_oid *b)
{
    for (size_t i = 0; i < a->len && i < b->len; i++)
        if (a->ids[i] != b->ids[i])
            return a->ids[i] < b->ids[i] ? -1 : 1;
    return a->len == b->len ? 0 : a->len < b->len ? -1 : 1;
}

/* The whole tree by GETNEXT. Returns how many objects. */
static size_t walk(const struct world *world, struct mib_oid found_r[OIDS_MAX])
{
    struct mib_value value, again;
    struct mib_oid at = {.len = 0};
    char text[160], text_again[160];
    size_t count = 0;

    while (mib_next(&world->source, at.ids, at.len, &at, &value)) {
        assert_true(count < OIDS_MAX);
        assert_true(count == 0 || compare(&found_r[count - 1], &at) < 0);
        assert_true(mib_get(&world->source, at.ids, at.len, &again));
        print(&value, text);
        print(&again, text_again);
        assert_string_equal(text_again, text);
        found_r[count++] = at;
    }
    return count;
}

static void getnext_goes_through_all_of_them_in_order_and_from_anywhere(void **state)
{
    static const uint32_t names[] = {1, 6, 65, 66, 67, 68};
    static struct mib_oid found[OIDS_MAX];
    struct survey survey = survey_of_two();
    struct world world;
    size_t count;

    (void)state;
    survey.instances[survey.instance_count++] =
        (struct survey_instance){.instance = 63, .is_known = true, .state = SURVEY_UP};
    add_urgent(&survey);
    set_up_with(&world, &survey);
    count = walk(&world, found);
    /* 37 in applTable; 9 of each frontend and 3 of each instance in mtaTable; 7 for each queue */
    assert_int_equal(count, 37 + 2 * 9 + 2 * 3 + 4 * 4 * 7);
    for (size_t i = 0; i < LENGTH(names); i++) /* of the first column, applName */
        assert_int_equal(found[i].ids[4], names[i]);
    for (uint32_t table = 27; table <= 28; table++)
        for (uint32_t number = 0; number <= 3; number++)
            for (uint32_t column = 0; column <= 40; column++)
                for (uint32_t index = 0; index <= 70; index++) {
                    const struct mib_oid asked = {{table, number, 1, column, index, 2}, 6};
                    struct mib_oid next;
                    struct mib_value value;
                    size_t first = 0;

                    while (first < count && compare(&found[first], &asked) <= 0)
                        first++;
                    assert_int_equal(mib_next(&world.source, asked.ids, asked.len, &next, &value),
                                     first < count);
                    if (first < count)
                        assert_int_equal(compare(&next, &found[first]), 0);
                }
    end(&world);
}

static void a_part_changes_when_a_survey_first_sees_it_in_its_state(void **state)
{
    struct survey survey = survey_of_two();
    struct world world;

    (void)state;
    set_up_with(&world, &survey);
    for (int64_t s = 9; s > 6; s--) {
        survey.taken_ms = ago(s);
        survey.instances[0].state = SURVEY_DOWN;
        survey.instances[1].state = SURVEY_UP; /* nobody knows since when */
        survey.instances[1].up_since_ms = 0;
        latest_put(world.latest, &world.survey);
        assert_true(latest_publish(world.latest, &survey));
        world.survey = latest_get(world.latest);
        world.source.latest = world.survey;
        expect(&world, "27.1.1.7.1", "TimeTicks 99100");
        expect(&world, "27.1.1.7.6", "TimeTicks 99100");
        expect(&world, "27.1.1.5.6", NULL);
    }
    end(&world);
}

static void a_survey_that_somebody_has_stays_as_it_is(void **state)
{
    struct survey survey = survey_of_two();
    struct world world;

    (void)state;
    set_up_with(&world, &survey);
    survey.instances[0].queues[1].messages = 99;
    assert_true(latest_publish(world.latest, &survey));
    assert_true(latest_publish(world.latest, &survey));
    expect(&world, "28.2.1.4.1.2", "Gauge32 2");
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_object_has_the_value_that_its_rfc_says),
        cmocka_unit_test(the_urgent_frontend_has_an_index_behind_those_of_the_others),
        cmocka_unit_test(what_is_not_known_is_not_there),
        cmocka_unit_test(what_is_too_large_for_its_type_is_the_greatest_of_it),
        cmocka_unit_test(getnext_goes_through_all_of_them_in_order_and_from_anywhere),
        cmocka_unit_test(a_part_changes_when_a_survey_first_sees_it_in_its_state),
        cmocka_unit_test(a_survey_that_somebody_has_stays_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
