/* test_settings_check - parameters that have to go together */
#include "lib/settings.h"

#include <string.h>

#include "tests/unit/settings_of.h"
#include "tests/unit/unit.h"

static void the_default_priority_follows_a_small_count(void **state)
{
    static const struct {
        const char *text;
        int priority;
    } cases[] = {{"PRIORITY_COUNT=2", 1}, {"PRIORITY_COUNT=3", 2}, {"PRIORITY_COUNT=64", 2}};

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct settings *s = settings_of("", cases[i].text);

        assert_int_equal(s->default_priority, cases[i].priority);
        settings_free(&s);
    }
}

static void ports_that_clash_are_named(void **state)
{
    static const struct {
        const char *text;
        const char *reports;
    } cases[] = {
        {"\nTCPMAP_LISTEN=127.0.0.1:20004",
         "f:2: TCPMAP_LISTEN: port 20004 is among those of the instances, 20000 to 20004 "
         "(INSTANCE_PORT_BASE)\n"},
        {"INSTANCE_PORT_BASE=10036",
         "f:1: TCPMAP_LISTEN: port 10040 is among those of the instances, 10036 to 10040 "
         "(INSTANCE_PORT_BASE)\n"},
        {"FRONTEND_LISTEN='25 [::1]:20000'",
         "f:1: FRONTEND_LISTEN: port 20000 is among those of the instances, 20000 to 20004 "
         "(INSTANCE_PORT_BASE)\n"},
        {"FRONTEND_LISTEN=10040", "f:1: FRONTEND_LISTEN: port 10040 is that of TCPMAP_LISTEN\n"},
        {"FRONTEND_LISTEN='25 25'",
         "f:1: FRONTEND_LISTEN = \"25 25\": one or more different of port, host:port, "
         "[IPv6 address]:port, with blanks between them, is needed\n"},
    };
    struct settings *s = settings_of("", "TCPMAP_LISTEN=127.0.0.1:20005\nFRONTEND_LISTEN=19999");

    (void)state;
    settings_free(&s);
    for (size_t i = 0; i < LENGTH(cases); i++)
        settings_expect_reports(cases[i].text, cases[i].reports);
}

static void the_frontend_tries_twice_in_a_lifetime(void **state)
{
    static const struct {
        const char *text;
        int delay_s, lifetime_s;
    } cases[] = {{"", 300, 660},
                 {"DECISION_LIFETIME=62", 1, 62},
                 {"DECISION_LIFETIME=600", 270, 600},
                 {"DECISION_LIFETIME=659", 299, 659},
                 {"DECISION_LIFETIME=1d", 300, 86400},
                 {"QUEUE_RUN_DELAY_FRONTEND=30s", 30, 660},
                 {"QUEUE_RUN_DELAY_FRONTEND=301", 301, 662},
                 {"QUEUE_RUN_DELAY_FRONTEND=1h\nDECISION_LIFETIME=7260", 3600, 7260}};

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct settings *s = settings_of("", cases[i].text);

        assert_int_equal(s->frontend.queue_run_delay_s, cases[i].delay_s);
        assert_int_equal(s->decision_lifetime_s, cases[i].lifetime_s);
        settings_free(&s);
    }
    settings_expect_reports(
        "DECISION_LIFETIME=11m\nQUEUE_RUN_DELAY_FRONTEND=301\n",
        "f:2: DECISION_LIFETIME = 660 s is too short: with QUEUE_RUN_DELAY_FRONTEND = "
        "301 s queued mail needs its decisions for 662 s\n");
    settings_expect_reports(
        "QUEUE_RUN_DELAY_FRONTEND=301\nDECISION_LIFETIME=x\n",
        "f:2: DECISION_LIFETIME = \"x\": a time from 62 s to 100 d, such as 660, 660s, "
        "11m or 2h, is needed\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_priority_follows_a_small_count),
        cmocka_unit_test(ports_that_clash_are_named),
        cmocka_unit_test(the_frontend_tries_twice_in_a_lifetime),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
