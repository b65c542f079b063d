/* test_destinations - domains of recipients, their ages, and how they are shown */
#include "showqueues/destinations.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "showqueues/destinations_print.h"
#include "tests/unit/unit.h"

enum { NOW_S = 1795374283, MINUTE_S = 60 };

static void add(struct destinations *destinations, const char *address, int64_t age_s)
{
    assert_true(destinations_add(destinations, address, NOW_S - age_s));
}

/* The only domain in a table. */
static const struct destination *only(const struct destinations *destinations)
{
    const struct destination **list, *found;
    size_t count;

    assert_true(destinations_sort(destinations, &list, &count));
    assert_int_equal(count, 1);
    found = list[0];
    free(list);
    return found;
}

static void the_domain_is_what_follows_the_address(void **state)
{
    static const struct {
        const char *address;
        const char *domain;
    } cases[] = {
        {"bob@dest.example", "dest.example"},
        {"bob@DEST.Example", "dest.example"},
        {"bob@dest.example.", "dest.example"},
        {"bob@dest.example..", "dest.example"},
        {"\"a@b\"@dest.example", "dest.example"},
        {"\"a\\\"@\\\"b\"@Dest.example", "dest.example"},
        {"@relay.example,@r2.example:bob@dest.example", "dest.example"},
        {"bob@[192.0.2.7]", "[192.0.2.7]"},
        {"bob@[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]"},
        {"bob@xn--Bcher-kva.example", "xn--bcher-kva.example"},
        {"bob@B\xc3\x9c"
         "cher.example",
         "b\xc3\x9c"
         "cher.example"},
        {"MAILER-DAEMON", NULL},
        {"\"a@b\"", NULL},
        {"bob@", NULL},
        {"bob@.", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct destinations *destinations = destinations_new(NOW_S);
        const struct destination *found;

        add(destinations, cases[i].address, 0);
        found = only(destinations);
        if (cases[i].domain == NULL)
            assert_null(found->domain);
        else
            assert_string_equal(found->domain, cases[i].domain);
        assert_int_equal(found->recipients, 1);
        destinations_free(&destinations);
        assert_null(destinations);
    }
}

static void ages_are_those_of_qshape(void **state)
{
    static const struct {
        int64_t age_s;
        int age;
    } cases[] = {
        {0, 0},
        {5 * MINUTE_S - 1, 0},
        {5 * MINUTE_S, 1},
        {10 * MINUTE_S - 1, 1},
        {10 * MINUTE_S, 2},
        {640 * MINUTE_S, 8},
        {1280 * MINUTE_S - 1, 8},
        {1280 * MINUTE_S, 9},
        {NOW_S, 9},
        {-1, 0},
        {-1000000, 0},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct destinations *destinations = destinations_new(NOW_S);
        const struct destination *total = destinations_total(destinations);

        add(destinations, "bob@dest.example", cases[i].age_s);
        for (int age = 0; age < DESTINATIONS_AGES; age++)
            assert_int_equal(total->by_age[age], age == cases[i].age);
        assert_int_equal(total->oldest_s, NOW_S - cases[i].age_s);
        destinations_free(&destinations);
    }
}

static void times_that_cannot_be_are_no_overflow(void **state)
{
    struct destinations *destinations = destinations_new(NOW_S);
    const struct destination *total = destinations_total(destinations);

    (void)state;
    assert_true(destinations_add(destinations, "a@b", INT64_MIN));
    assert_int_equal(total->oldest_s, 0);
    assert_int_equal(total->by_age[DESTINATIONS_AGES - 1], 1);
    assert_true(destinations_add(destinations, "a@b", INT64_MAX));
    assert_int_equal(total->by_age[0], 1);
    json_decref(destinations_json(destinations, "postfix0", 0, NOW_S));
    destinations_free(&destinations);
}

static void the_most_recipients_come_first_and_equals_by_name(void **state)
{
    static const char *const expected[] = {"c.example", NULL, "a.example", "b.example"};
    struct destinations *destinations = destinations_new(NOW_S);
    const struct destination **list;
    size_t count;

    (void)state;
    add(destinations, "1@b.example", 7);
    add(destinations, "1@c.example", 0);
    add(destinations, "2@C.example", 3600);
    add(destinations, "1@a.example", 0);
    add(destinations, "nobody", 0);
    assert_true(destinations_sort(destinations, &list, &count));
    assert_int_equal(count, 4);
    for (size_t i = 0; i < 4; i++)
        if (expected[i] == NULL)
            assert_null(list[i]->domain);
        else
            assert_string_equal(list[i]->domain, expected[i]);
    assert_int_equal(list[0]->recipients, 2);
    assert_int_equal(list[0]->oldest_s, NOW_S - 3600);
    assert_int_equal(destinations_total(destinations)->recipients, 5);
    assert_int_equal(destinations_total(destinations)->oldest_s, NOW_S - 3600);
    free(list);
    destinations_free(&destinations);
}

static void expect_shown(const struct destinations *destinations, size_t limit, const char *text)
{
    char *shown = NULL;
    size_t len;
    FILE *out = open_memstream(&shown, &len);

    assert_non_null(out);
    assert_true(destinations_print(destinations, "postfix2", limit, out));
    assert_int_equal(fclose(out), 0);
    assert_string_equal(shown, text);
    free(shown);
}

static void a_postfix_without_mail_is_one_line(void **state)
{
    struct destinations *destinations = destinations_new(NOW_S);

    (void)state;
    expect_shown(destinations, 0, " * postfix2 = 0\n");
    destinations_free(&destinations);
}

static void lines_are_those_of_qshape(void **state)
{
    struct destinations *destinations = destinations_new(NOW_S);

    (void)state;
    for (int n = 0; n < 120; n++)
        add(destinations, "bob@dest.example", n < 115 ? 30 * MINUTE_S : 0);
    add(destinations, "a@x.example", 2000 * MINUTE_S);
    add(destinations, "a@y.example", 6 * MINUTE_S);
    add(destinations, "MAILER-DAEMON", 1000 * MINUTE_S);
    expect_shown(destinations, 0,
                 " * postfix2 = 123\n"
                 "   |                        T  5 10 20  40 80 160 320 640 1280 1280+\n"
                 "   |                TOTAL 123  5  1  0 115  0   0   0   0    1     1\n"
                 "   |         dest.example 120  5  0  0 115  0   0   0   0    0     0\n"
                 "   |          (no domain)   1  0  0  0   0  0   0   0   0    1     0\n"
                 "   |            x.example   1  0  0  0   0  0   0   0   0    0     1\n"
                 "   |            y.example   1  0  1  0   0  0   0   0   0    0     0\n");
    expect_shown(destinations, 2,
                 " * postfix2 = 123\n"
                 "   |                        T  5 10 20  40 80 160 320 640 1280 1280+\n"
                 "   |                TOTAL 123  5  1  0 115  0   0   0   0    1     1\n"
                 "   |         dest.example 120  5  0  0 115  0   0   0   0    0     0\n"
                 "   |          (no domain)   1  0  0  0   0  0   0   0   0    1     0\n"
                 "   |    (2 other domains)   2  0  1  0   0  0   0   0   0    0     1\n");
    destinations_free(&destinations);
}

static void what_would_change_a_terminal_is_not_shown(void **state)
{
    struct destinations *destinations = destinations_new(NOW_S);

    (void)state;
    add(destinations, "a@b\033[31mc\r\n\x7f", 0);
    add(destinations,
        "a@\xc2\x9b"
        "2Jc\xe2\x80\xae"
        "d\xe2\x81\xa6\xef\xbb\xbf\xd8\x9c.example",
        0);
    add(destinations,
        "a@b\xc3\xbc"
        "cher.\xe2\x82\xac\xe2\x80\xb0",
        0);
    expect_shown(destinations, 0,
                 " * postfix2 = 3\n"
                 "   |                       T  5 10 20 40 80 160 320 640 1280 1280+\n"
                 "   |                TOTAL  3  3  0  0  0  0   0   0   0    0     0\n"
                 "   |           b?[31mc???  1  1  0  0  0  0   0   0   0    0     0\n"
                 "   |            b\xc3\xbc"
                 "cher.\xe2\x82\xac\xe2\x80\xb0  1  1  0  0  0  0   0   0   0    0     0\n"
                 "   |    ?2jc?d???.example  1  1  0  0  0  0   0   0   0    0     0\n");
    destinations_free(&destinations);
}

static void json_has_all_of_it(void **state)
{
    static const char expected[] =
        "{\"name\": \"postfix2\", \"error\": null, \"recipients\": 3, \"by_age\": [1, 0, 1, 0, 0, "
        "0, 0, 0, 0, 1], "
        "\"oldest\": \"2026-11-21T09:44:43.000Z\", \"oldest_age_seconds\": 120000, "
        "\"destinations\": [{\"domain\": \"\\u009Bx.example\", \"recipients\": 2, \"by_age\": [1, "
        "0, 1, 0, 0, 0, 0, 0, 0, 0], "
        "\"oldest\": \"2026-11-22T18:54:43.000Z\", \"oldest_age_seconds\": 600}], \"others\": 1}";
    struct destinations *destinations = destinations_new(NOW_S);
    json_t *object;
    char *text;

    (void)state;
    add(destinations, "a@\xc2\x9bx.example", 0);
    add(destinations, "b@\xc2\x9bx.example", 600);
    add(destinations, "MAILER-DAEMON", 120000);
    object = destinations_json(destinations, "postfix2", 1, NOW_S);
    text = json_dumps(object, JSON_ENSURE_ASCII);
    assert_string_equal(text, expected);
    free(text);
    json_decref(object);
    destinations_free(&destinations);
}

static void json_of_nothing_is_null_where_there_is_nothing(void **state)
{
    struct destinations *destinations = destinations_new(NOW_S);
    json_t *empty = destinations_json(destinations, "postfix2", 0, NOW_S);
    json_t *failed = destinations_json_error("postfix3", "why");
    json_t *ages = destinations_json_ages();

    (void)state;
    assert_true(json_is_null(json_object_get(empty, "oldest")));
    assert_true(json_is_null(json_object_get(empty, "oldest_age_seconds")));
    assert_int_equal(json_integer_value(json_object_get(empty, "recipients")), 0);
    assert_int_equal(json_object_size(failed), json_object_size(empty));
    assert_string_equal(json_string_value(json_object_get(failed, "error")), "why");
    assert_true(json_is_null(json_object_get(failed, "destinations")));
    assert_int_equal(json_array_size(ages), DESTINATIONS_AGES - 1);
    assert_int_equal(json_integer_value(json_array_get(ages, 8)), 1280);
    json_decref(empty);
    json_decref(failed);
    json_decref(ages);
    destinations_free(&destinations);
}

static void a_hundred_thousand_domains_in_order_are_no_long_list(void **state)
{
    struct destinations *destinations = destinations_new(NOW_S);
    const struct destination **list;
    size_t count;

    (void)state;
    for (int n = 0; n < 100000; n++) { /* in order: the worst for a tree that is not balanced */
        char address[32];

        snprintf(address, sizeof address, "a@d%06d.example", n);
        add(destinations, address, 0);
    }
    assert_true(destinations_sort(destinations, &list, &count));
    assert_int_equal(count, 100000);
    assert_string_equal(list[99999]->domain, "d099999.example");
    free(list);
    destinations_free(&destinations);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_domain_is_what_follows_the_address),
        cmocka_unit_test(ages_are_those_of_qshape),
        cmocka_unit_test(times_that_cannot_be_are_no_overflow),
        cmocka_unit_test(the_most_recipients_come_first_and_equals_by_name),
        cmocka_unit_test(a_postfix_without_mail_is_one_line),
        cmocka_unit_test(lines_are_those_of_qshape),
        cmocka_unit_test(what_would_change_a_terminal_is_not_shown),
        cmocka_unit_test(json_has_all_of_it),
        cmocka_unit_test(json_of_nothing_is_null_where_there_is_nothing),
        cmocka_unit_test(a_hundred_thousand_domains_in_order_are_no_long_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
