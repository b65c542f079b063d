/*
 * test_address_set - unit tests of address_set.
 *
 * Each row of the table is a test of its own, whose name is the row's sentence.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "milter/address_set.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* a message with the To field value has addr as a recipient, or has not */
struct membership {
    const char *sentence;
    const char *value;
    const char *addr;
    bool is_member;
};

static struct membership memberships[] = {
    {"a To recipient is a member", "Joe <joe@x.example>, a@y", "joe@x.example", true},
    {"a recipient who is not named is no member", "joe@x", "jim@x", false},
    {"a longer local part is another recipient", "aa@x", "a@x", false},
    {"a shorter local part is another recipient", "a@x", "aa@x", false},
    {"a longer domain is another recipient", "a@xx", "a@x", false},
    {"a subdomain is another recipient", "a@sub.x", "a@x", false},
    {"letter case in the domain does not matter", "joe@Example.COM", "joe@example.com", true},
    {"letter case in the local part does not matter", "Joe.Doe@x", "jOE.dOE@x", true},
    {"letter case in the recipient does not matter", "joe@x", "JOE@X", true},
    {"only ASCII letters fold", "j\xc3\xb6@x", "j\xc3\x96@x", false},
    {"signs next to the letters do not fold", "a`@x, a{@x", "a@@x", false},
    {"non-ASCII letters match themselves", "J\xc3\xb6@x", "j\xc3\xb6@x", true},
    {"a dot after the domain in the field does not matter", "joe@x.example.", "joe@x.example",
     true},
    {"a dot after the recipient's domain does not matter", "joe@x.example", "joe@x.example.", true},
    {"two dots after the domain do matter", "joe@x.example..", "joe@x.example", false},
    {"a dot after the local part matters", "joe.@x", "joe@x", false},
    {"a dot after an address without domain matters", "joe.", "joe", false},
    {"an address without domain matches a recipient without domain", "Root", "root", true},
    {"an address without domain matches no recipient with one", "joe", "joe@x", false},
    {"a recipient without domain matches no address with one", "joe@x", "joe", false},
    {"quoting in the field does not matter", "\"joe\"@x", "joe@x", true},
    {"a quoted local part is a member in internal form", "\"joe doe\"@x", "joe doe@x", true},
    {"the last word of a quoted local part is no member", "\"joe doe\"@x", "doe@x", false},
    {"the last word of a local part with blanks is no member", "<joe doe@x>", "doe@x", false},
    {"the last piece of a local part with commas is no member", "<joe,doe@x>", "doe@x", false},
    {"an address in a comment is no member", "a@x (v@y)", "v@y", false},
    {"an address in a nested comment is no member", "a@x (() v@y)", "v@y", false},
    {"an address in a display name is no member", "\"v@y\" <a@x>", "v@y", false},
    {"an address in an unquoted display name is no member", "v@y <a@x>", "v@y", false},
    {"an address in an open comment is no member", "a@x (b, v@y", "v@y", false},
    {"an address in an open quoted string is no member", "a@x, \"b, v@y", "v@y", false},
    {"an address in a source route is no member", "<@v.y,@v:a@x>", "v.y", false},
    {"the start of a domain literal is no member", "a@[192.0.2.7]", "a@", false},
    {"a domain literal is a member", "a@[IPv6:2001:DB8::1]", "a@[ipv6:2001:db8::1]", true},
    {"the empty recipient is no member", "a@x, <>, \"\"", "", false},
    {"nobody is a member of an empty field", "", "a@x", false},
    {"the first of many is a member", "a@x, b@x, c@x, d@x, e@x", "a@x", true},
    {"the last of many is a member", "e@x, b@x, c@x, d@x, a@x", "a@x", true},
};

static void membership_is_as_in_the_table(void **state)
{
    const struct membership *row = *state;
    struct address_set *set = address_set_new();

    assert_non_null(set);
    assert_true(address_set_add_field(set, row->value, strlen(row->value)));
    assert_int_equal(address_set_has(set, row->addr), row->is_member);
    address_set_free(&set);
    assert_null(set);
}

static void nul_bytes_are_read_and_match_nothing(void **state)
{
    const char value[] = "a@x\0.evil, \"b\0c\"@y, d@z";
    struct address_set *set = address_set_new();

    (void)state;
    assert_non_null(set);
    assert_true(address_set_add_field(set, value, sizeof(value) - 1));
    assert_int_equal(address_set_count(set), 3);
    assert_false(address_set_has(set, "a@x"));
    assert_false(address_set_has(set, "b"));
    assert_true(address_set_has(set, "d@z"));
    address_set_free(&set);
}

static char *many_addresses(unsigned count)
{
    char *value = malloc((size_t)count * 16 + 1);
    size_t len = 0;

    assert_non_null(value);
    for (unsigned i = 0; i < count; i++)
        len += (size_t)sprintf(value + len, "%x@X,", (i * 2654435761u) % count);
    return value;
}

static void a_long_field_is_a_set_of_all_its_addresses(void **state)
{
    const unsigned count = 200000;
    char *value = many_addresses(count);
    struct address_set *set = address_set_new();
    char addr[32];

    (void)state;
    assert_non_null(set);
    assert_true(strlen(value) > 200000);
    assert_true(address_set_add_field(set, value, strlen(value)));
    assert_int_equal(address_set_count(set), count);
    for (unsigned i = 0; i < count; i += 7) {
        sprintf(addr, "%x@x", (i * 2654435761u) % count);
        assert_true(address_set_has(set, addr));
    }
    sprintf(addr, "%x@x", count);
    assert_false(address_set_has(set, addr));
    address_set_free(&set);
    free(value);
}

static char *repeat(const char *piece, size_t times)
{
    size_t piece_len = strlen(piece);
    char *text = malloc(piece_len * times + 1);

    assert_non_null(text);
    for (size_t i = 0; i < times; i++)
        memcpy(text + i * piece_len, piece, piece_len);
    text[piece_len * times] = '\0';
    return text;
}

static void one_address_of_a_megabyte_is_read(void **state)
{
    char *local = repeat("joe.", 250000);
    size_t local_len = strlen(local);
    char *addr;
    struct address_set *set = address_set_new();

    (void)state;
    assert_non_null(set);
    assert_true(asprintf(&addr, "%s@x", local) > 0);
    assert_true(address_set_add_field(set, addr, strlen(addr)));
    assert_true(address_set_has(set, addr));
    addr[local_len / 2] = '!';
    assert_false(address_set_has(set, addr));
    address_set_free(&set);
    free(addr);
    free(local);
}

static void fields_add_up_in_a_set(void **state)
{
    struct address_set *set = address_set_new();

    (void)state;
    assert_non_null(set);
    assert_true(address_set_add_field(set, "m@x, a@x", 8));
    assert_true(address_set_add_field(set, "", 0));
    assert_true(address_set_add_field(set, "z@x", 3));
    assert_int_equal(address_set_count(set), 3);
    assert_true(address_set_has(set, "a@x"));
    assert_true(address_set_has(set, "z@x"));
    address_set_free(&set);
}

static void fields_may_be_added_after_a_lookup(void **state)
{
    struct address_set *set = address_set_new();

    (void)state;
    assert_non_null(set);
    assert_true(address_set_add_field(set, "m@x", 3));
    assert_false(address_set_has(set, "a@x"));
    assert_true(address_set_add_field(set, "z@x, a@x", 8));
    assert_true(address_set_has(set, "a@x"));
    assert_true(address_set_has(set, "m@x"));
    assert_true(address_set_has(set, "z@x"));
    address_set_free(&set);
}

static void a_field_does_not_continue_the_field_before(void **state)
{
    struct address_set *set = address_set_new();

    (void)state;
    assert_non_null(set);
    assert_true(address_set_add_field(set, "\"open", 5));
    assert_true(address_set_add_field(set, "b@y", 3));
    assert_true(address_set_has(set, "b@y"));
    address_set_free(&set);
}

static void a_field_that_no_memory_can_hold_is_refused(void **state)
{
    struct address_set *set = address_set_new();

    (void)state;
    assert_non_null(set);
    assert_true(address_set_add_field(set, "a@x", 3));
    assert_false(address_set_add_field(set, "b@x", SIZE_MAX));
    assert_int_equal(address_set_count(set), 1);
    assert_true(address_set_has(set, "a@x"));
    address_set_free(&set);
}

static void a_new_set_is_empty(void **state)
{
    struct address_set *set = address_set_new();

    (void)state;
    assert_non_null(set);
    assert_int_equal(address_set_count(set), 0);
    assert_false(address_set_has(set, "a@x"));
    address_set_free(&set);
    address_set_free(&set);
}

static int run_memberships(void)
{
    struct CMUnitTest tests[COUNT_OF(memberships)];

    for (size_t i = 0; i < COUNT_OF(memberships); i++)
        tests[i] = (struct CMUnitTest){.name = memberships[i].sentence,
                                       .test_func = membership_is_as_in_the_table,
                                       .initial_state = &memberships[i]};
    return cmocka_run_group_tests_name("address membership", tests, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nul_bytes_are_read_and_match_nothing),
        cmocka_unit_test(a_long_field_is_a_set_of_all_its_addresses),
        cmocka_unit_test(one_address_of_a_megabyte_is_read),
        cmocka_unit_test(fields_add_up_in_a_set),
        cmocka_unit_test(fields_may_be_added_after_a_lookup),
        cmocka_unit_test(a_field_does_not_continue_the_field_before),
        cmocka_unit_test(a_field_that_no_memory_can_hold_is_refused),
        cmocka_unit_test(a_new_set_is_empty),
    };
    int failed = run_memberships();

    failed += cmocka_run_group_tests_name("address set", tests, NULL, NULL);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
