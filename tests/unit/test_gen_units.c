/* test_gen_units - which settings need a drop-in for the units of systemd, and what it says */
#include "gen/units.h"

#include <stdlib.h>
#include <string.h>

#include "admin/part.h"
#include "ctl/service_manager.h"
#include "tests/unit/report.h"
#include "tests/unit/unit.h"

#define PATH(unit) "/etc/systemd/system/" unit ".d/priority-email-gateway.conf"
#define HEAD "# Written by peg-gen apply from /etc/priority-email-gateway.conf.\n"

static const char *const all[] = {PATH("peg-tcpmap.socket"), PATH("peg-milter.service"),
                                  PATH("peg-tcpmap.service"), PATH("peg-monitor.service")};

static struct settings *settings_of(const char *text)
{
    struct report report;

    report_init(&report);
    struct settings *settings = settings_parse("", text, strlen(text), "f", &report.diag);

    assert_string_equal(report.text, "");
    return settings;
}

static void what_the_units_say_themselves_needs_no_drop_in(void **state)
{
    struct settings *settings =
        settings_of("TCPMAP_LISTEN=127.0.0.1:10040\nDAEMON_USER=peg\nNICE_LEVEL_MILTER=0\n"
                    "MONITORING_DIR=/run/priority-email-gateway/monitoring\n");
    struct pairs files = {0};

    (void)state;
    units_plan_files(settings, "postdrop", &files);
    assert_int_equal(files.count, LENGTH(all));
    for (size_t i = 0; i < LENGTH(all); i++)
        assert_string_equal(pairs_get(&files, all[i]), "");
    pairs_deinit(&files);
    settings_free(&settings);
}

static void each_setting_is_said_to_the_units_that_have_it(void **state)
{
    static const struct {
        const char *text, *group, *path, *drop_in;
    } cases[] = {
        {"TCPMAP_LISTEN=127.0.0.1:10041\n", "postdrop", PATH("peg-tcpmap.socket"),
         "[Socket]\nListenStream=\nListenStream=127.0.0.1:10041\n"},
        {"TCPMAP_LISTEN=[::1]:10040\n", "postdrop", PATH("peg-tcpmap.socket"),
         "[Socket]\nListenStream=\nListenStream=[::1]:10040\n"},
        {"DAEMON_USER=mail\n", "postdrop", PATH("peg-milter.service"), "[Service]\nUser=mail\n"},
        {"DAEMON_USER=mail\n", "postdrop", PATH("peg-tcpmap.service"), "[Service]\nUser=mail\n"},
        {"DAEMON_USER=mail\n", "postdrop", PATH("peg-monitor.service"), "[Service]\nUser=mail\n"},
        {"NICE_LEVEL_MILTER=-5\n", "postdrop", PATH("peg-milter.service"),
         "[Service]\nNice=-5\nLimitNICE=-5\n"},
        {"NICE_LEVEL_MILTER=20\n", "postdrop", PATH("peg-milter.service"), "[Service]\nNice=19\n"},
        {"\n", "maildrop", PATH("peg-tcpmap.service"),
         "[Service]\nSupplementaryGroups=\nSupplementaryGroups=maildrop\n"},
        {"MONITORING_DIR=/tmp/figures\n", "postdrop", PATH("peg-monitor.service"),
         "[Service]\nPrivateTmp=no\nReadWritePaths=\"/tmp/figures\"\n"},
        {"MONITORING_DIR=/root/figures\n", "postdrop", PATH("peg-monitor.service"),
         "[Service]\nProtectHome=no\nReadWritePaths=\"/root/figures\"\n"},
        {"MONITORING_DIR=/srv/figures\n", "postdrop", PATH("peg-monitor.service"),
         "[Service]\nReadWritePaths=\"/srv/figures\"\n"},
        {"MONITORING_DIR=/run/priority-email-gateway2\n", "postdrop", PATH("peg-monitor.service"),
         "[Service]\nReadWritePaths=\"/run/priority-email-gateway2\"\n"},
        {"MONITORING_DIR='/srv/a b%i\"c'\n", "postdrop", PATH("peg-monitor.service"),
         "[Service]\nReadWritePaths=\"/srv/a b%%i\\\"c\"\n"},
        {"AGENTX_SOCKET=/tmp/agentx\n", "postdrop", PATH("peg-monitor.service"),
         "[Service]\nPrivateTmp=no\n"},
        {"AGENTX_SOCKET=/run/user/0/agentx\nMONITORING_DIR=/tmp/figures\n", "postdrop",
         PATH("peg-monitor.service"),
         "[Service]\nPrivateTmp=no\nProtectHome=no\nReadWritePaths=\"/tmp/figures\"\n"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct settings *settings = settings_of(cases[i].text);
        struct pairs files = {0};

        units_plan_files(settings, cases[i].group, &files);
        const char *drop_in = pairs_get(&files, cases[i].path);

        assert_int_equal(strncmp(drop_in, HEAD, strlen(HEAD)), 0);
        assert_string_equal(drop_in + strlen(HEAD), cases[i].drop_in);
        pairs_deinit(&files);
        settings_free(&settings);
    }
}

static void every_part_has_a_unit(void **state)
{
    static const struct {
        const char *part, *unit;
    } cases[] = {{"milter", "peg-milter.service"},     {"tcpmap", "peg-tcpmap.service"},
                 {"0", "peg-instance@0.service"},      {"10", "peg-instance@10.service"},
                 {"frontend", "peg-frontend.service"}, {"monitor", "peg-monitor.service"},
                 {"urgent", "peg-urgent.service"}};
    struct settings *settings = settings_of("PRIORITY_COUNT=11\nURGENT_LISTEN=26\n");
    struct parts parts;

    (void)state;
    parts_init(&parts, settings);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        const struct part *part = parts_find(&parts, cases[i].part);
        char unit[SERVICE_MANAGER_UNIT_SIZE];

        assert_non_null(part);
        service_manager_unit(part, unit);
        assert_string_equal(unit, cases[i].unit);
    }
    parts_deinit(&parts);
    settings_free(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_units_say_themselves_needs_no_drop_in),
        cmocka_unit_test(each_setting_is_said_to_the_units_that_have_it),
        cmocka_unit_test(every_part_has_a_unit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
