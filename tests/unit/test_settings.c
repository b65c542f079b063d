/* test_settings - parameters: values, defaults, and what is said about wrong ones */
#include "lib/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/settings_of.h"
#include "tests/unit/unit.h"

static void an_empty_file_gives_the_defaults(void **state)
{
    struct settings *s = settings_of("", "");

    (void)state;
    assert_string_equal(s->root, "");
    assert_string_equal(s->file, "f");
    assert_int_equal(s->priority_count, 5);
    assert_int_equal(s->default_priority, 2);
    assert_string_equal(s->relay_host, "");
    assert_string_equal(s->frontend_listen[0], "25");
    assert_null(s->frontend_listen[1]);
    assert_int_equal(s->instance_port_base, 20000);
    assert_string_equal(s->tcpmap_host, "127.0.0.1");
    assert_int_equal(s->tcpmap_port, 10040);
    assert_int_equal(s->tcpmap_connections, 1000);
    assert_int_equal(s->decision_lifetime_s, 660);
    assert_int_equal(s->table_capacity, 1000000);
    assert_string_equal(s->daemon_user, "peg");
    assert_string_equal(s->monitoring_dir, "/run/priority-email-gateway/monitoring");
    assert_string_equal(s->monitoring_group, "peg-monitor");
    assert_string_equal(s->agentx_socket, "/var/agentx/master");
    assert_int_equal(s->frontend.queue_limit, 0);
    assert_int_equal(s->instance[4].queue_age_limit_s, 0);
    assert_int_equal(s->milter_nice_level, 0);
    assert_int_equal(s->milter_connections, 250);
    assert_int_equal(s->bounce_limit, 10);
    assert_true(s->instance_users);
    assert_int_equal(s->frontend.nice_level, 0);
    for (int n = 0; n < 5; n++)
        assert_int_equal(s->instance[n].nice_level, 0);
    settings_free(&s);
    assert_null(s);
}

static void a_gateway_below_a_root_needs_no_user_of_its_own(void **state)
{
    struct settings *s = settings_of("/tmp/gateway", "");

    (void)state;
    assert_string_equal(s->daemon_user, "nobody");
    assert_null(s->monitoring_group);
    assert_false(s->instance_users);
    settings_free(&s);
    s = settings_of("/tmp/gateway", "DAEMON_USER=mailpeg");
    assert_string_equal(s->daemon_user, "mailpeg");
    settings_free(&s);
}

static void every_parameter_can_be_set(void **state)
{
    struct settings *s = settings_of(
        "", "PRIORITY_COUNT=3\nDEFAULT_PRIORITY=0\nRELAY_HOST=[192.0.2.1]:587\n"
            "FRONTEND_LISTEN='25  submission [::1]:2525\t192.0.2.9:26'\n"
            "INSTANCE_PORT_BASE=30000\nTCPMAP_LISTEN=[::1]:10041\n"
            "LIMIT_CONNECTIONS_TCPMAP=50\nDECISION_LIFETIME=1h\nTABLE_CAPACITY=20000000\n"
            "DAEMON_USER=mail-peg_1\nMONITORING_GROUP=zabbix\n");

    (void)state;
    assert_int_equal(s->priority_count, 3);
    assert_int_equal(s->default_priority, 0);
    assert_string_equal(s->relay_host, "[192.0.2.1]:587");
    assert_string_equal(s->frontend_listen[0], "25");
    assert_string_equal(s->frontend_listen[1], "submission");
    assert_string_equal(s->frontend_listen[2], "[::1]:2525");
    assert_string_equal(s->frontend_listen[3], "192.0.2.9:26");
    assert_null(s->frontend_listen[4]);
    assert_int_equal(s->instance_port_base, 30000);
    assert_string_equal(s->tcpmap_host, "::1");
    assert_int_equal(s->tcpmap_port, 10041);
    assert_int_equal(s->tcpmap_connections, 50);
    assert_int_equal(s->decision_lifetime_s, 3600);
    assert_int_equal(s->table_capacity, 20000000);
    assert_string_equal(s->daemon_user, "mail-peg_1");
    assert_string_equal(s->monitoring_group, "zabbix");
    settings_free(&s);
}

static void suffixes_give_instances_and_the_frontend_values_of_their_own(void **state)
{
    struct settings *s =
        settings_of("", "NICE_LEVEL[4]=-20\nNICE_LEVEL_DEFAULT=7\nNICE_LEVEL[0]=20\n"
                        "NICE_LEVEL_FRONTEND=-1\nNICE_LEVEL[0]=19\n");

    (void)state;
    assert_int_equal(s->frontend.nice_level, -1);
    assert_int_equal(s->instance[0].nice_level, 19);
    assert_int_equal(s->instance[1].nice_level, 7);
    assert_int_equal(s->instance[3].nice_level, 7);
    assert_int_equal(s->instance[4].nice_level, -20);
    settings_free(&s);
}

static void the_urgent_frontend_takes_after_the_other(void **state)
{
    struct settings *s =
        settings_of("", "URGENT_LISTEN='192.0.2.7:25 2525'\nFRONTEND_LISTEN=192.0.2.8:25\n"
                        "NICE_LEVEL_FRONTEND=3\nNICE_LEVEL_URGENT=-9\nDSCP_CLASS_FRONTEND=EF\n"
                        "DECISION_LIFETIME=160\nINSTANCE_NEXTHOP[1]=[192.0.2.9]:20001\n");
    char name[SETTINGS_NAME_SIZE];

    (void)state;
    assert_string_equal(settings_listen(s, PEG_URGENT)[0], "192.0.2.7:25");
    assert_string_equal(settings_listen(s, PEG_URGENT)[1], "2525");
    assert_string_equal(settings_listen(s, PEG_FRONTEND)[0], "192.0.2.8:25");
    assert_int_equal(settings_own(s, PEG_URGENT)->nice_level, -9);
    assert_int_equal(settings_own(s, PEG_FRONTEND)->nice_level, 3);
    assert_int_equal(settings_own(s, PEG_URGENT)->dscp, 46);
    assert_int_equal(settings_own(s, PEG_URGENT)->queue_run_delay_s, 50);
    assert_int_equal(settings_own(s, PEG_URGENT)->queue_lifetime_s, 86400);
    assert_true(settings_has(s, PEG_URGENT) && settings_has(s, PEG_FRONTEND));
    assert_true(settings_has(s, 0) && settings_has(s, 4));
    assert_false(settings_has(s, 1) || settings_has(s, 5));
    settings_instance_name(PEG_URGENT, name);
    assert_string_equal(name, "postfix-urgent");
    settings_free(&s);
    s = settings_of("", "NICE_LEVEL_URGENT=-9\n");
    assert_false(settings_has(s, PEG_URGENT));
    settings_free(&s);
}

static void the_urgent_frontend_listens_where_nothing_else_of_ours_does(void **state)
{
    (void)state;
    settings_expect_reports("URGENT_LISTEN='20001 10040'\n",
                            "f:1: URGENT_LISTEN: port 20001 is among those of the instances, 20000 "
                            "to 20004 (INSTANCE_PORT_BASE)\n"
                            "f:1: URGENT_LISTEN: port 10040 is that of TCPMAP_LISTEN\n");
    settings_expect_reports(
        "URGENT_LISTEN=x:y:z\n",
        "f:1: URGENT_LISTEN = \"x:y:z\": \"\", or one or more different of port, host:port, [IPv6 "
        "address]:port, with blanks between them, is needed\n");
}

static void tries_of_the_urgent_frontend_keep_decisions_alive(void **state)
{
    (void)state;
    settings_expect_reports("DECISION_LIFETIME=160\nQUEUE_RUN_DELAY_URGENT=51\n",
                            "f:2: DECISION_LIFETIME = 160 s is too short: with "
                            "QUEUE_RUN_DELAY_URGENT = 51 s queued mail needs its decisions for "
                            "162 s\n");
}

static void the_last_assignment_of_a_name_wins(void **state)
{
    struct settings *s =
        settings_of("", "RELAY_HOST=a.example\nFRONTEND_LISTEN='1 2'\nRELAY_HOST=b.example"
                        "\nFRONTEND_LISTEN=3\nPRIORITY_COUNT=9\nPRIORITY_COUNT=4\n");

    (void)state;
    assert_string_equal(s->relay_host, "b.example");
    assert_string_equal(s->frontend_listen[0], "3");
    assert_null(s->frontend_listen[1]);
    assert_int_equal(s->priority_count, 4);
    settings_free(&s);
}

static void wrong_values_are_named_with_what_is_needed(void **state)
{
    static const struct {
        const char *text;
        const char *reports;
    } cases[] = {
        {"\nNICE_LEVEL[4]=99",
         "f:2: NICE_LEVEL[4] = \"99\": a whole number from -20 to 20 is needed\n"},
        {"NICE_LEVEL_FRONTEND=x",
         "f:1: NICE_LEVEL_FRONTEND = \"x\": a whole number from -20 to 20 is needed\n"},
        {"PRIORITY_COUNT=1",
         "f:1: PRIORITY_COUNT = \"1\": a whole number from 2 to 64 is needed\n"},
        {"PRIORITY_COUNT=65",
         "f:1: PRIORITY_COUNT = \"65\": a whole number from 2 to 64 is needed\n"},
        {"PRIORITY_COUNT=\"5 \"",
         "f:1: PRIORITY_COUNT = \"5 \": a whole number from 2 to 64 is needed\n"},
        {"DEFAULT_PRIORITY=5",
         "f:1: DEFAULT_PRIORITY = \"5\": a whole number from 0 to 4 is needed, since "
         "PRIORITY_COUNT is 5\n"},
        {"DEFAULT_PRIORITY=-1",
         "f:1: DEFAULT_PRIORITY = \"-1\": a whole number from 0 to 63 is needed\n"},
        {"RELAY_HOST='a b'", "f:1: RELAY_HOST = \"a b\": \"\" or one of domain, host:port, [host], "
                             "[host]:port, [address], [address]:port is needed\n"},
        {"FRONTEND_LISTEN=''",
         "f:1: FRONTEND_LISTEN = \"\": one or more different of port, host:port, "
         "[IPv6 address]:port, with blanks between them, is needed\n"},
        {"DECISION_LIFETIME=61", "f:1: DECISION_LIFETIME = \"61\": a time from 62 s to 100 d, such "
                                 "as 660, 660s, 11m or 2h, is needed\n"},
        {"TABLE_CAPACITY=999",
         "f:1: TABLE_CAPACITY = \"999\": a whole number from 1000 to 20000000 is needed\n"},
        {"MONITORING_GROUP=", "f:1: MONITORING_GROUP = \"\": the name of a group is needed\n"},
        {"DAEMON_USER='a:b'", "f:1: DAEMON_USER = \"a:b\": the name of a system user is needed\n"},
        {"INSTANCE_PORT_BASE=65535",
         "f:1: INSTANCE_PORT_BASE = \"65535\": with 5 priorities at most 65530 is possible\n"},
        {"TCPMAP_LISTEN=localhost:1", "f:1: TCPMAP_LISTEN = \"localhost:1\": address:port or "
                                      "[IPv6 address]:port, with numbers only, is needed\n"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        settings_expect_reports(cases[i].text, cases[i].reports);
}

static void wrong_names_and_suffixes_are_named(void **state)
{
    static const struct {
        const char *text;
        const char *reports;
    } cases[] = {
        {"PRIORITY_COUTN=5", "f:1: there is no parameter PRIORITY_COUTN; did you mean "
                             "PRIORITY_COUNT?\n"},
        {"relay_host=x", "f:1: there is no parameter relay_host; did you mean RELAY_HOST?\n"},
        {"NICE_LEVEL_FRONTED=1", "f:1: there is no parameter NICE_LEVEL_FRONTED; did you mean "
                                 "NICE_LEVEL_FRONTEND?\n"},
        {"NICE_LEVL[2]=1",
         "f:1: there is no parameter NICE_LEVL[2]; did you mean NICE_LEVEL[n]?\n"},
        {"MAILTO=x", "f:1: there is no parameter MAILTO\n"},
        {"RELAY_HOST[1]=x", "f:1: RELAY_HOST takes no [1]\n"},
        {"RELAY_HOST_FRONTEND=x", "f:1: RELAY_HOST takes no suffix _FRONTEND\n"},
        {"PRIORITY_COUNT_DEFAULT=3", "f:1: PRIORITY_COUNT takes no suffix _DEFAULT\n"},
        {"NICE_LEVEL=1",
         "f:1: NICE_LEVEL is set as NICE_LEVEL_FRONTEND, NICE_LEVEL_URGENT, NICE_LEVEL_DEFAULT or, "
         "for instance n, NICE_LEVEL[n]\n"},
        {"NICE_LEVEL_DEFAULT[1]=1",
         "f:1: NICE_LEVEL is set as NICE_LEVEL_FRONTEND, NICE_LEVEL_URGENT, NICE_LEVEL_DEFAULT or, "
         "for instance n, NICE_LEVEL[n]\n"},
        {"RELAY_HOST_URGENT=x", "f:1: RELAY_HOST takes no suffix _URGENT\n"},
        {"DSCP_CLASS_URGNT=EF", "f:1: there is no parameter DSCP_CLASS_URGNT; did you mean "
                                "DSCP_CLASS_URGENT?\n"},
        {"NICE_LEVEL[5]=1",
         "f:1: NICE_LEVEL[5]: there are 5 priorities (PRIORITY_COUNT), so [0] to "
         "[4] can be set\n"},
        {"NICE_LEVEL[3]=1\nPRIORITY_COUNT=3",
         "f:1: NICE_LEVEL[3]: there are 3 priorities (PRIORITY_COUNT), so [0] to [2] can be set\n"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        settings_expect_reports(cases[i].text, cases[i].reports);
}

static void all_problems_are_reported_in_one_run(void **state)
{
    (void)state;
    settings_expect_reports(
        "PRIORITY_COUNT=x\nNICE_LEVEL[63]=1\nNICE_LEVEL[64]=1\nDEFAULT_PRIORITY=9\nX=1\n",
        "f:1: PRIORITY_COUNT = \"x\": a whole number from 2 to 64 is needed\n"
        "f:3: NICE_LEVEL[64]: there are 64 priorities (PRIORITY_COUNT), so [0] to [63] "
        "can be set\n"
        "f:5: there is no parameter X\n");
}

static void lines_that_are_no_assignments_hide_nothing(void **state)
{
    (void)state;
    settings_expect_reports(
        "PRIORITY_COUNT = 9\nNICE_LEVEL[8]=x\nDEFAULT_PRIORITY=8\n",
        "f:1: only assignments NAME=value may stand here, without blanks before \"=\"\n"
        "f:2: NICE_LEVEL[8] = \"x\": a whole number from -20 to 20 is needed\n");
}

static void instances_take_what_is_theirs_or_the_default(void **state)
{
    struct settings *s = settings_of(
        "", "QUEUE_RUN_DELAY_DEFAULT=5m\nQUEUE_RUN_DELAY[4]=30s\n"
            "MAXIMAL_QUEUE_LIFETIME_FRONTEND=2d\nMAXIMAL_QUEUE_LIFETIME[4]=10m\n"
            "BOUNCE_COMMAND_DEFAULT='logger x'\nBOUNCE_COMMAND[3]=\"\"\n"
            "DSCP_CLASS_DEFAULT=CS1\nDSCP_CLASS[4]=EF\nINSTANCE_NEXTHOP[1]=[192.0.2.9]:20001\n");

    (void)state;
    assert_int_equal(s->instance[0].queue_run_delay_s, 300);
    assert_int_equal(s->instance[4].queue_run_delay_s, 30);
    assert_int_equal(s->frontend.queue_run_delay_s, 300);
    assert_int_equal(s->frontend.queue_lifetime_s, 2 * 86400);
    assert_int_equal(s->instance[0].queue_lifetime_s, 86400);
    assert_int_equal(s->instance[4].queue_lifetime_s, 600);
    assert_string_equal(s->frontend.bounce_command, "");
    assert_string_equal(s->instance[0].bounce_command, "logger x");
    assert_string_equal(s->instance[3].bounce_command, "");
    assert_int_equal(s->frontend.dscp, 0);
    assert_int_equal(s->instance[0].dscp, 8);
    assert_int_equal(s->instance[4].dscp, 46);
    assert_true(settings_is_local(s, 0));
    assert_false(settings_is_local(s, 1));
    settings_free(&s);
    settings_expect_reports(
        "INSTANCE_NEXTHOP=[192.0.2.9]:1\nINSTANCE_NEXTHOP_DEFAULT=[192.0.2.9]:1\n"
        "INSTANCE_NEXTHOP[0]=192.0.2.9\nDSCP_CLASS_DEFAULT=AF99\n",
        "f:1: INSTANCE_NEXTHOP is set for instance n, as INSTANCE_NEXTHOP[n]\n"
        "f:2: INSTANCE_NEXTHOP is set for instance n, as INSTANCE_NEXTHOP[n]\n"
        "f:3: INSTANCE_NEXTHOP[0] = \"192.0.2.9\": \"\", [host]:port or [address]:port is "
        "needed\n"
        "f:4: DSCP_CLASS_DEFAULT = \"AF99\": one of BE, LE, EF, VA, CS0 to CS7, AF11 to "
        "AF43 (AF, a class from 1 to 4, a drop precedence from 1 to 3), or a number from "
        "0 to 63, is needed\n");
}

static void the_names_of_the_system_before_are_known(void **state)
{
    struct settings *s = settings_of("", "NICE_LEVEL_QPSMTPD=5\nLIMIT_CONNECTIONS_QPSMTPD=7\n");

    (void)state;
    assert_int_equal(s->milter_nice_level, 5);
    assert_int_equal(s->milter_connections, 7);
    settings_free(&s);
    settings_expect_reports(
        "NICE_LEVEL_QPSMTPD=5\nNICE_LEVEL_MILTER=5\nLIMIT_CONNECTIONS_QPSMTPD=0\n",
        "f:2: NICE_LEVEL_MILTER is another name of NICE_LEVEL_QPSMTPD in line 1; keep "
        "one of the two\n"
        "f:3: LIMIT_CONNECTIONS_QPSMTPD = \"0\": a whole number from 1 to 100000 is "
        "needed\n");
}

static void paths_lie_below_the_root(void **state)
{
    struct settings *s = settings_of("/r", "");
    char path[PATH_MAX] = "untouched";
    char name[SETTINGS_NAME_SIZE];
    char *longest = malloc(PATH_MAX + 1);

    (void)state;
    assert_true(settings_path(s, SETTINGS_RULES_FILE, path));
    assert_string_equal(path, "/r/etc/priority-email-gateway.rules");
    memset(longest, 'x', PATH_MAX);
    longest[PATH_MAX - 2] = '\0';
    assert_false(settings_path(s, longest, path));
    assert_string_equal(path, "/r/etc/priority-email-gateway.rules");
    settings_instance_name(PEG_FRONTEND, name);
    assert_string_equal(name, "postfix-frontend");
    settings_instance_name(63, name);
    assert_string_equal(name, "postfix63");
    free(longest);
    settings_free(&s);
}

static void a_missing_file_is_an_error_that_names_it(void **state)
{
    struct report report;

    (void)state;
    report_init(&report);
    assert_null(settings_load("/nonexistent", &report.diag));
    assert_ptr_equal(strstr(report.text, "/nonexistent/etc/priority-email-gateway.conf: cannot be "
                                         "read: No such file or directory; put a copy"),
                     report.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_gives_the_defaults),
        cmocka_unit_test(a_gateway_below_a_root_needs_no_user_of_its_own),
        cmocka_unit_test(every_parameter_can_be_set),
        cmocka_unit_test(suffixes_give_instances_and_the_frontend_values_of_their_own),
        cmocka_unit_test(the_urgent_frontend_takes_after_the_other),
        cmocka_unit_test(the_urgent_frontend_listens_where_nothing_else_of_ours_does),
        cmocka_unit_test(tries_of_the_urgent_frontend_keep_decisions_alive),
        cmocka_unit_test(the_last_assignment_of_a_name_wins),
        cmocka_unit_test(wrong_values_are_named_with_what_is_needed),
        cmocka_unit_test(wrong_names_and_suffixes_are_named),
        cmocka_unit_test(all_problems_are_reported_in_one_run),
        cmocka_unit_test(lines_that_are_no_assignments_hide_nothing),
        cmocka_unit_test(instances_take_what_is_theirs_or_the_default),
        cmocka_unit_test(the_names_of_the_system_before_are_known),
        cmocka_unit_test(paths_lie_below_the_root),
        cmocka_unit_test(a_missing_file_is_an_error_that_names_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
