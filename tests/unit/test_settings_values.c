/* test_settings_values - the forms of hosts, ports and times */
#include "lib/settings_values.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

static void relay_hosts_are_taken_in_postfix_s_forms_only(void **state)
{
    static const char *const right[] = {
        "",          "example.com",      "mx.example.com:587",    "mx.example.com:submission",
        "[mx]",      "[mx.example.com]", "[mx.example.com]:25",   "[192.0.2.1]",
        "[::1]:25",  "[192.0.2.1]:25",   "[2001:db8::1]",         "[ipv6:2001:db8::1]:587",
        "localhost", "[IPv6:::1]",       "xn--bcher-kva.example", "a_b.example"};
    static const char *const wrong[] = {" ",
                                        "a b",
                                        "mx:",
                                        "mx:0",
                                        "mx:65536",
                                        "mx:-1",
                                        "192.0.2.1",
                                        "::1",
                                        "[mx",
                                        "mx]",
                                        "[mx]x",
                                        "[]",
                                        "[192.0.2.1",
                                        "[1.2.3.4.5]",
                                        "a..b",
                                        ".a",
                                        "a.",
                                        "-a",
                                        "a-.b",
                                        "mx,other",
                                        "[mx]:25:",
                                        "smtp:[mx]",
                                        "b\xc3\xbc.example",
                                        "[ipv6:192.0.2.1]",
                                        "mx\n",
                                        "$mydomain",
                                        "[mx]:a b",
                                        "12.34"};

    (void)state;
    for (size_t i = 0; i < LENGTH(right); i++)
        assert_true(settings_value_relay_host(right[i]));
    for (size_t i = 0; i < LENGTH(wrong); i++) {
        if (settings_value_relay_host(wrong[i]))
            print_error("taken: %s\n", wrong[i]);
        assert_false(settings_value_relay_host(wrong[i]));
    }
}

static void inet_services_are_taken_in_postfix_s_forms_only(void **state)
{
    static const struct {
        const char *text;
        int port; /* 0: a name */
    } right[] = {{"25", 25},         {"smtp", 0},          {"192.0.2.1:25", 25},
                 {"[::1]:587", 587}, {"mail.host:26", 26}, {"localhost:smtp", 0},
                 {"65535", 65535}};
    static const char *const wrong[] = {"",    "0",         "65536",      "::1:25", "[::1]",
                                        ":25", "host:",     "192.0.2.1:", "a/b",    "25,26",
                                        "+25", "[host]:25", "1.2.3:25",   "-o",     "*:25"};

    (void)state;
    for (size_t i = 0; i < LENGTH(right); i++) {
        assert_true(settings_value_inet_service(right[i].text));
        assert_int_equal(settings_value_inet_port(right[i].text), right[i].port);
    }
    for (size_t i = 0; i < LENGTH(wrong); i++) {
        if (settings_value_inet_service(wrong[i]))
            print_error("taken: %s\n", wrong[i]);
        assert_false(settings_value_inet_service(wrong[i]));
    }
}

static void endpoints_are_addresses_with_ports(void **state)
{
    static const char *const wrong[] = {
        "127.0.0.1", "127.0.0.1:",     "127.0.0.1:0",  "::1:25",       "[::1]",   "[127.0.0.1]:1",
        "host:1",    "127.0.0.1:smtp", "127.0.0.1:+1", "[ipv6:::1]:1", "127.1:1", ""};
    char *host = NULL;
    int port = -1;

    (void)state;
    for (size_t i = 0; i < LENGTH(wrong); i++)
        assert_false(settings_value_endpoint(wrong[i], &host, &port));
    assert_null(host);
    assert_int_equal(port, -1);
    assert_true(settings_value_endpoint("[2001:db8::1]:65535", &host, &port));
    assert_string_equal(host, "2001:db8::1");
    assert_int_equal(port, 65535);
    free(host);
}

static void times_have_postfix_s_suffixes(void **state)
{
    static const struct {
        const char *text;
        long time_s; /* -1: wrong */
    } cases[] = {
        {"62", 62},  {"62s", 62},  {"2m", 120}, {"1h", 3600},    {"100d", 8640000},
        {"", -1},    {"s", -1},    {"-62", -1}, {"1.5h", -1},    {"1hh", -1},
        {"1 h", -1}, {"101d", -1}, {"61", -1},  {"2w", 1209600}, {"99999999999999999999d", -1}};

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        long time_s = -1;

        assert_int_equal(settings_value_time_s(cases[i].text, 62, 8640000, &time_s),
                         cases[i].time_s >= 0);
        assert_int_equal(time_s, cases[i].time_s);
    }
}

static void dscp_classes_are_names_or_numbers(void **state)
{
    static const struct {
        const char *text;
        int dscp; /* -1: wrong */
    } cases[] = {{"BE", 0},    {"LE", 1},          {"EF", 46},   {"ef", 46},    {"VA", 44},
                 {"CS0", 0},   {"CS1", 8},         {"CS7", 56},  {"AF11", 10},  {"AF12", 12},
                 {"AF13", 14}, {"AF21", 18},       {"AF33", 30}, {"AF41", 34},  {"AF43", 38},
                 {"0", 0},     {"63", 63},         {"0x2e", 46}, {"0X3F", 63},  {"046", 46},
                 {"64", -1},   {"0x40", -1},       {"0x", -1},   {"", -1},      {"-1", -1},
                 {"+1", -1},   {"CS8", -1},        {"CS", -1},   {"CS11", -1},  {"AF44", -1},
                 {"AF51", -1}, {"AF10", -1},       {"AF1", -1},  {"AF111", -1}, {"XX", -1},
                 {"BE ", -1},  {"99999999999", -1}};

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        int dscp = -1;

        assert_int_equal(settings_value_dscp(cases[i].text, &dscp), cases[i].dscp >= 0);
        assert_int_equal(dscp, cases[i].dscp);
    }
}

static void paths_are_whole_and_plain(void **state)
{
    static const char *const right[] = {"/a", "/run/x", "/tmp/priority-email-gateway-monitoring",
                                        "/a/..b/.c"};
    static const char *const wrong[] = {"",      "/",     "a",     "a/b",  "/a/",  "//a",
                                        "/a//b", "/a/..", "/../a", "/./a", "/a\nb"};

    (void)state;
    for (size_t i = 0; i < LENGTH(right); i++)
        assert_true(settings_value_path(right[i]));
    for (size_t i = 0; i < LENGTH(wrong); i++)
        assert_false(settings_value_path(wrong[i]));
}

static void nexthops_are_in_brackets_with_a_port(void **state)
{
    static const char *const right[] = {"", "[192.0.2.1]:20004", "[mail.example]:25",
                                        "[ipv6:2001:db8::1]:1", "[2001:db8::1]:65535"};
    static const char *const wrong[] = {
        "mail.example:25", "192.0.2.1:25",        "[192.0.2.1]",
        "[mail.example]:", "[mail.example]:smtp", "[]:25",
        "[a b]:25",        "[192.0.2.1]:0",       "[192.0.2.1]:65536"};

    (void)state;
    for (size_t i = 0; i < LENGTH(right); i++)
        assert_true(settings_value_nexthop(right[i]));
    for (size_t i = 0; i < LENGTH(wrong); i++)
        assert_false(settings_value_nexthop(wrong[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relay_hosts_are_taken_in_postfix_s_forms_only),
        cmocka_unit_test(inet_services_are_taken_in_postfix_s_forms_only),
        cmocka_unit_test(endpoints_are_addresses_with_ports),
        cmocka_unit_test(times_have_postfix_s_suffixes),
        cmocka_unit_test(dscp_classes_are_names_or_numbers),
        cmocka_unit_test(paths_are_whole_and_plain),
        cmocka_unit_test(nexthops_are_in_brackets_with_a_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
