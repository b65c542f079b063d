/* test_snmpd_conf - what peg-gen has snmpd read, and that it stays where the operator linked it */
#include "gen/snmpd_conf.h"

#include <stdlib.h>
#include <string.h>

#include "lib/file.h"
#include "tests/unit/queues_fixture.h"
#include "tests/unit/settings_of.h"

static void the_text_names_each_figure_as_the_original_did_and_the_socket(void **state)
{
    struct settings *settings = settings_of(
        "/r", "PRIORITY_COUNT=3\nDEFAULT_PRIORITY=0\nINSTANCE_NEXTHOP[1]='[192.0.2.1]:25'\n"
              "MONITORING_DIR='/a \"b\\c'\nAGENTX_SOCKET=/x/master\n");
    char *text = snmpd_conf_text(settings);
    static const char expected[] =
        "extend postfix-frontend-incoming /bin/cat \"/r/a \\\"b\\\\c/postfix-frontend-incoming\"\n"
        "extend postfix-frontend-active /bin/cat \"/r/a \\\"b\\\\c/postfix-frontend-active\"\n"
        "extend postfix-frontend-deferred /bin/cat \"/r/a \\\"b\\\\c/postfix-frontend-deferred\"\n"
        "extend postfix-frontend-hold /bin/cat \"/r/a \\\"b\\\\c/postfix-frontend-hold\"\n"
        "extend postfix0-incoming /bin/cat \"/r/a \\\"b\\\\c/postfix0-incoming\"\n"
        "extend postfix0-active /bin/cat \"/r/a \\\"b\\\\c/postfix0-active\"\n"
        "extend postfix0-deferred /bin/cat \"/r/a \\\"b\\\\c/postfix0-deferred\"\n"
        "extend postfix0-hold /bin/cat \"/r/a \\\"b\\\\c/postfix0-hold\"\n"
        "extend postfix2-incoming /bin/cat \"/r/a \\\"b\\\\c/postfix2-incoming\"\n"
        "extend postfix2-active /bin/cat \"/r/a \\\"b\\\\c/postfix2-active\"\n"
        "extend postfix2-deferred /bin/cat \"/r/a \\\"b\\\\c/postfix2-deferred\"\n"
        "extend postfix2-hold /bin/cat \"/r/a \\\"b\\\\c/postfix2-hold\"\n"
        "extend milterCount /bin/cat \"/r/a \\\"b\\\\c/milterCount\"\n"
        "extend qpsmtpdCount /bin/cat \"/r/a \\\"b\\\\c/qpsmtpdCount\"\n"
        "\n"
        "# MTA-MIB, NETWORK-SERVICES-MIB and traps of peg-monitor, through AgentX.\n"
        "master agentx\n"
        "agentXSocket unix:/r/x/master\n"
        "agentXPerms 0660 0755 nobody\n";

    (void)state;
    assert_non_null(strstr(text, "extend"));
    assert_string_equal(strstr(text, "extend postfix"), expected);
    free(text);
    settings_free(&settings);
}

static void the_urgent_frontend_is_named_first_where_it_is_there(void **state)
{
    struct settings *settings = settings_of("", "URGENT_LISTEN=2525\nMONITORING_DIR=/m\n");
    char *text = snmpd_conf_text(settings);
    static const char expected[] =
        "extend postfix-urgent-incoming /bin/cat \"/m/postfix-urgent-incoming\"\n"
        "extend postfix-urgent-active /bin/cat \"/m/postfix-urgent-active\"\n"
        "extend postfix-urgent-deferred /bin/cat \"/m/postfix-urgent-deferred\"\n"
        "extend postfix-urgent-hold /bin/cat \"/m/postfix-urgent-hold\"\n"
        "extend postfix-frontend-incoming ";
    const char *found = strstr(text, "extend postfix");

    (void)state;
    assert_non_null(found);
    assert_memory_equal(found, expected, strlen(expected));
    free(text);
    settings_free(&settings);
}

static void without_a_socket_there_is_no_agentx(void **state)
{
    struct settings *settings = settings_of("", "AGENTX_SOCKET=\"\"\n");
    char *text = snmpd_conf_text(settings);

    (void)state;
    assert_null(strstr(text, "agentx"));
    assert_null(strstr(text, "agentX"));
    free(text);
    settings_free(&settings);
}

static void sockets_that_snmpd_can_be_told_of(void **state)
{
    (void)state;
    assert_true(snmpd_conf_takes_socket("/var/agentx/master"));
    assert_true(snmpd_conf_takes_socket(""));
    assert_false(snmpd_conf_takes_socket("/var/agent x"));
    assert_false(snmpd_conf_takes_socket("/var/a,b"));
    assert_false(snmpd_conf_takes_socket("/var/a\"b"));
    assert_false(snmpd_conf_takes_socket("/var/a\\b"));
}

static void expect_change(const struct settings *settings, enum snmpd_conf_what what)
{
    struct snmpd_conf conf;

    snmpd_conf_init(&conf, settings);
    assert_int_equal(conf.what, what);
    assert_true(snmpd_conf_carry_out(&conf));
    snmpd_conf_deinit(&conf);
}

static void expect_same_file(const char *root, bool same)
{
    char path[PATH_SIZE], link_path[PATH_SIZE];
    struct stat status, link_status;

    path_in(root, "etc/snmp/snmpd.priority-email-gateway.conf", path);
    path_in(root, "etc/snmp/snmpd.local.conf", link_path);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(stat(link_path, &link_status), 0);
    assert_int_equal(status.st_ino == link_status.st_ino, same);
    assert_int_equal(status.st_mode & 07777, 0644);
}

static void it_is_written_where_snmpd_is_and_changes_under_both_names_of_a_link(void **state)
{
    const char *root = *state;
    struct settings *settings = settings_of(root, "PRIORITY_COUNT=3\n");
    struct settings *fewer = settings_of(root, "PRIORITY_COUNT=2\nDEFAULT_PRIORITY=0\n");
    char path[PATH_SIZE], link_path[PATH_SIZE];

    expect_change(settings, SNMPD_CONF_KEEP); /* no snmpd */
    make_folder(root, "etc/snmp");
    make_file(root, "etc/snmp/snmpd.conf");
    expect_change(settings, SNMPD_CONF_CREATE);
    expect_change(settings, SNMPD_CONF_KEEP);
    path_in(root, "etc/snmp/snmpd.priority-email-gateway.conf", path);
    path_in(root, "etc/snmp/snmpd.local.conf", link_path);
    assert_int_equal(link(path, link_path), 0); /* as the original's manual said */
    expect_change(fewer, SNMPD_CONF_REPLACE);
    expect_change(fewer, SNMPD_CONF_KEEP);
    expect_same_file(root, true);
    assert_int_equal(unlink(link_path), 0);
    assert_int_equal(symlink("snmpd.priority-email-gateway.conf", link_path), 0);
    expect_change(settings, SNMPD_CONF_REPLACE);
    expect_change(settings, SNMPD_CONF_KEEP);
    expect_same_file(root, true);
    settings_free(&settings);
    settings_free(&fewer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_names_each_figure_as_the_original_did_and_the_socket),
        cmocka_unit_test(the_urgent_frontend_is_named_first_where_it_is_there),
        cmocka_unit_test(without_a_socket_there_is_no_agentx),
        cmocka_unit_test(sockets_that_snmpd_can_be_told_of),
        cmocka_unit_test_setup_teardown(
            it_is_written_where_snmpd_is_and_changes_under_both_names_of_a_link, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
