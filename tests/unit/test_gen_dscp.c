/* test_gen_dscp - whose packets are marked, the script for that, and complaints about it */
#include "ctl/dscp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gen/check.h"
#include "admin/config_line.h"
#include "lib/settings.h"
#include "tests/unit/report.h"
#include "tests/unit/settings_of.h"
#include "tests/unit/unit.h"

static char *script_of(const char *root, const char *text)
{
    struct settings *settings = settings_of(root, text);
    char *script = dscp_script(settings);

    settings_free(&settings);
    return script;
}

static void expect_script(const char *root, const char *text, const char *expected)
{
    char *script = script_of(root, text);

    assert_string_equal(script, expected);
    free(script);
}

#define HEAD "# Made by peg-gen from DSCP_CLASS in priority-email-gateway.conf. nft -f loads it.\n"

static void each_user_has_its_class_and_each_class_its_chain(void **state)
{
    (void)state;
    expect_script("",
                  "PRIORITY_COUNT=4\nDSCP_CLASS_FRONTEND=cs1\nDSCP_CLASS_DEFAULT=EF\n"
                  "DSCP_CLASS[1]=BE\nDSCP_CLASS[2]=0x0A\nDEFAULT_PRIORITY=1\n",
                  HEAD "table inet priority-email-gateway\n"
                       "delete table inet priority-email-gateway\n"
                       "table inet priority-email-gateway {\n"
                       "    chain output {\n"
                       "        type route hook output priority -150; policy accept;\n"
                       "        oif \"lo\" accept\n"
                       "        meta skuid vmap { \"postfix-frontend\" : goto dscp-8,"
                       " \"postfix0\" : goto dscp-46, \"postfix2\" : goto dscp-10,"
                       " \"postfix3\" : goto dscp-46 } comment \"peg-gen 514a4be5cb63b5fd\"\n"
                       "    }\n"
                       "    chain dscp-8 {\n"
                       "        ip dscp set 8\n"
                       "        ip6 dscp set 8\n"
                       "    }\n"
                       "    chain dscp-46 {\n"
                       "        ip dscp set 46\n"
                       "        ip6 dscp set 46\n"
                       "    }\n"
                       "    chain dscp-10 {\n"
                       "        ip dscp set 10\n"
                       "        ip6 dscp set 10\n"
                       "    }\n"
                       "}\n");
}

static void the_urgent_frontend_has_its_class(void **state)
{
    char *script =
        script_of("", "URGENT_LISTEN=26\nDSCP_CLASS_URGENT=EF\nDSCP_CLASS_FRONTEND=cs1\n");
    char *without = script_of("", "DSCP_CLASS_URGENT=EF\nDSCP_CLASS_FRONTEND=cs1\n");

    (void)state;
    assert_non_null(strstr(script, "meta skuid vmap { \"postfix-urgent\" : goto dscp-46,"
                                   " \"postfix-frontend\" : goto dscp-8 }"));
    assert_non_null(strstr(without, "meta skuid vmap { \"postfix-frontend\" : goto dscp-8 }"));
    free(script);
    free(without);
}

static void without_classes_the_script_takes_the_table_away(void **state)
{
    static const char *const texts[] = {
        "", "DSCP_CLASS_DEFAULT=EF\nDSCP_CLASS_DEFAULT=0\nDSCP_CLASS[3]=CS0",
        /* Another host's instance: its packets are that host's. */
        "DSCP_CLASS[3]=EF\nINSTANCE_NEXTHOP[3]=[192.0.2.1]:25"};

    (void)state;
    for (size_t i = 0; i < LENGTH(texts); i++) {
        struct settings *settings = settings_of("", texts[i]);

        assert_false(dscp_is_wanted(settings));
        settings_free(&settings);
        expect_script("", texts[i],
                      HEAD "table inet priority-email-gateway\n"
                           "delete table inet priority-email-gateway\n");
    }
}

static void gateways_side_by_side_have_tables_of_their_own(void **state)
{
    static const char *const roots[] = {"", "/a", "/b", "/a/b"};
    char names[LENGTH(roots)][DSCP_TABLE_SIZE];

    (void)state;
    for (size_t i = 0; i < LENGTH(roots); i++) {
        struct settings *settings = settings_of(roots[i], "");

        dscp_table(settings, names[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(names[i], names[j]);
        assert_int_equal(strlen(names[i]), i == 0 ? 22 : 22 + 17);
        settings_free(&settings);
    }
}

static void a_seal_is_that_of_one_script(void **state)
{
    static const char *const texts[] = {"DSCP_CLASS[0]=EF", "DSCP_CLASS[1]=EF", "DSCP_CLASS[0]=1",
                                        "DSCP_CLASS_FRONTEND=EF"};
    char *seals[LENGTH(texts)];
    char *none = script_of("", "");

    (void)state;
    for (size_t i = 0; i < LENGTH(texts); i++) {
        char *script = script_of("", texts[i]);
        char *again = script_of("", texts[i]);

        assert_string_equal(script, again);
        seals[i] = dscp_seal(script);
        assert_non_null(seals[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(seals[i], seals[j]);
        free(script);
        free(again);
    }
    assert_null(dscp_seal(none));
    assert_null(dscp_seal(""));
    free(none);
    for (size_t i = 0; i < LENGTH(texts); i++)
        free(seals[i]);
}

/* A gateway of two lines below a root of its own, so that lines can be named. */
struct written {
    char root[32];
    char path[80];
    struct settings *settings;
};

static void write_gateway(struct written *written, const char *text)
{
    char folder[64];
    struct report report;
    FILE *file;

    report_init(&report);
    snprintf(written->root, sizeof written->root, "/tmp/test_gen_dscp.XXXXXX");
    assert_non_null(mkdtemp(written->root));
    snprintf(folder, sizeof folder, "%s/etc", written->root);
    assert_int_equal(mkdir(folder, 0700), 0);
    snprintf(written->path, sizeof written->path, "%s" SETTINGS_CONF_FILE, written->root);
    file = fopen(written->path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    written->settings = settings_load(written->root, &report.diag);
    assert_string_equal(report.text, "");
}

static void remove_gateway(struct written *written)
{
    char folder[64];

    settings_free(&written->settings);
    snprintf(folder, sizeof folder, "%s/etc", written->root);
    assert_int_equal(unlink(written->path), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(rmdir(written->root), 0);
}

static void the_line_of_a_value_is_that_of_its_last_assignment(void **state)
{
    static const struct {
        int instance;
        unsigned line;
    } cases[] = {{PEG_FRONTEND, 3}, {0, 5}, {1, 4}, {2, 4}};
    struct written written;

    (void)state;
    write_gateway(&written, "DSCP_CLASS[0]=1\nDSCP_CLASS_DEFAULT=2\nDSCP_CLASS_FRONTEND=3\n"
                            "DSCP_CLASS_DEFAULT=4\nDSCP_CLASS[0]=5\n");
    for (size_t i = 0; i < LENGTH(cases); i++)
        assert_int_equal(config_line_of_instance(written.settings, "DSCP_CLASS", cases[i].instance),
                         cases[i].line);
    assert_int_equal(config_line_of_instance(written.settings, "NICE_LEVEL", 0), 0);
    remove_gateway(&written);
}

static void without_users_of_their_own_each_line_with_a_class_is_named(void **state)
{
    static const char why[] = "warning: DSCP_CLASS is without effect, since packets are told apart "
                              "by the user who sends them: set INSTANCE_USERS=yes, or BE here\n";
    struct written written;
    struct report report;
    char expected[1024];

    (void)state;
    report_init(&report);
    write_gateway(&written, "DSCP_CLASS_DEFAULT=AF11\nDSCP_CLASS_FRONTEND=BE\nDSCP_CLASS[1]=BE\n"
                            "INSTANCE_USERS=no\nDSCP_CLASS[4]=46\n");
    check_dscp(written.settings, &report.diag);
    snprintf(expected, sizeof expected, "%s:1: %s%s:5: %s", written.path, why, written.path, why);
    assert_string_equal(report.text, expected);
    assert_int_equal(report.diag.errors, 0);
    assert_false(dscp_is_wanted(written.settings));
    remove_gateway(&written);
}

static void without_classes_nothing_is_needed(void **state)
{
    struct settings *settings = settings_of("", "INSTANCE_USERS=yes");
    char *path = strdup(getenv("PATH"));
    struct report report;

    (void)state;
    report_init(&report);
    assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
    check_dscp(settings, &report.diag);
    assert_string_equal(report.text, "");
    settings_free(&settings);
    settings = settings_of("", "INSTANCE_USERS=yes\nDSCP_CLASS[2]=EF");
    check_dscp(settings, &report.diag);
    assert_string_equal(report.text,
                        "f: warning: DSCP_CLASS is without effect: nft does not run; install "
                        "nftables, or set BE (is /usr/sbin in PATH?)\n");
    assert_true(dscp_is_wanted(settings));
    assert_int_equal(setenv("PATH", path, 1), 0);
    free(path);
    settings_free(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_user_has_its_class_and_each_class_its_chain),
        cmocka_unit_test(the_urgent_frontend_has_its_class),
        cmocka_unit_test(without_classes_the_script_takes_the_table_away),
        cmocka_unit_test(gateways_side_by_side_have_tables_of_their_own),
        cmocka_unit_test(a_seal_is_that_of_one_script),
        cmocka_unit_test(the_line_of_a_value_is_that_of_its_last_assignment),
        cmocka_unit_test(without_users_of_their_own_each_line_with_a_class_is_named),
        cmocka_unit_test(without_classes_nothing_is_needed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
