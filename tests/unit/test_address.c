/*
 * test_address - unit tests of address.
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

#include "milter/address.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* value is read as the addresses, each followed by a vertical bar */
struct reading {
    const char *sentence;
    const char *value;
    const char *addresses;
};

static struct reading readings[] = {
    /* RFC 5322 3.4 */
    {"an empty field has no address", "", ""},
    {"a blank field has no address", " \t\r\n ", ""},
    {"a bare address is read", "joe@example.com", "joe@example.com|"},
    {"an angle address is read", "<joe@example.com>", "joe@example.com|"},
    {"a display name is not an address", "Joe Q. Public <joe@x>", "joe@x|"},
    {"no blank is needed before the bracket", "Joe<joe@x>", "joe@x|"},
    {"commas separate addresses", "a@x, B <b@y>,c@z", "a@x|b@y|c@z|"},
    {"the order and the letter case of the field are kept", "B@Y, a@X", "B@Y|a@X|"},
    {"the same address twice is given twice", "a@x, a@x", "a@x|a@x|"},
    {"a quoted name may hold a comma", "\"Doe, John\" <j@x>", "j@x|"},
    {"a quoted name may hold an address", "\"victim@y, <v@z>\" <j@x>", "j@x|"},
    {"a quoted name may hold an escaped quote", "\"a\\\", v@y, \\\"b\" <j@x>", "j@x|"},
    {"a quoted name may end in an escaped backslash", "\"a\\\\\" <j@x>, b@y", "j@x|b@y|"},
    {"an unquoted name may be an address itself", "v@y <j@x>", "j@x|"},
    {"an unquoted name may be several addresses", "v@y w@z <j@x>", "j@x|"},
    {"a name may hold dots", "J. R. Doe <j@x>", "j@x|"},
    {"a name may hold encoded words", "=?utf-8?Q?D=C3=B6?= =?utf-8?B?w7Y=?= <j@x>", "j@x|"},
    {"a name may hold UTF-8", "J\xc3\xb6rg M\xc3\xbcller <j@x>", "j@x|"},
    {"a name may hold apostrophes", "Joe O'Neil <j@x>, 'Al' <a@x>", "j@x|a@x|"},
    {"an apostrophe is part of a local part", "o'neil@x", "o'neil@x|"},
    {"all atom characters stand in a local part", "!#$%&'*+-/=?^_`{|}~@x",
     "!#$%&'*+-/=?^_`{|}~@x|"},

    /* local parts and domains */
    {"a quoted local part is unquoted", "\"joe doe\"@x", "joe doe@x|"},
    {"a quoted local part may hold an at sign", "\"joe@home\"@x", "joe@home@x|"},
    {"a quoted local part may hold a comma", "<\"joe,doe\"@x>", "joe,doe@x|"},
    {"a quoted local part may hold brackets", "<\"<v@y>\"@x>", "<v@y>@x|"},
    {"quoted pairs in a local part are unquoted", "\"a\\\"b\\\\c\"@x", "a\"b\\c@x|"},
    {"needless quotes are removed", "\"joe\"@x", "joe@x|"},
    {"quoted words join at dots", "\"joe\".\"q\".doe@x", "joe.q.doe@x|"},
    {"an address in UTF-8 is read as it is",
     "j\xc3\xb6@b\xc3\xbc"
     "cher.example",
     "j\xc3\xb6@b\xc3\xbc"
     "cher.example|"},
    {"an IPv4 literal is kept", "joe@[192.0.2.7]", "joe@[192.0.2.7]|"},
    {"an IPv6 literal keeps its colons", "joe@[IPv6:2001:db8::1], a@x",
     "joe@[IPv6:2001:db8::1]|a@x|"},
    {"an IPv6 literal is read in brackets", "Joe <joe@[IPv6:::1]>", "joe@[IPv6:::1]|"},
    {"blanks in a literal are dropped", "joe@[ 192.0.2.7\r\n ]", "joe@[192.0.2.7]|"},
    {"a quoted pair in a literal is unquoted", "joe@[x\\]y], a@x", "joe@[x]y]|a@x|"},
    {"the dot that ends a domain is kept", "joe@x.example.", "joe@x.example.|"},

    /* comments */
    {"a comment before the address is skipped", "(c) a@x", "a@x|"},
    {"a comment after the address is skipped", "a@x (Joe Doe)", "a@x|"},
    {"comments around each sign are skipped", "(1)a(2).(3)b(4)@(5)x(6).(7)y(8)", "a.b@x.y|"},
    {"comments in an angle address are skipped", "J (1) <(2) a (3) @ (4) x (5)> (6)", "a@x|"},
    {"comments nest", "a@x (b (c (d) e) v@y), f@z", "a@x|f@z|"},
    {"a comment may hold an address", "a@x (v@y, <v@y>, w@z)", "a@x|"},
    {"a comment may hold an escaped parenthesis", "a@x (\\), v@y, \\()", "a@x|"},
    {"a comment separates words as a blank does", "Joe(c)joe@x", "joe@x|"},
    {"a quote in a comment opens nothing", "a@x (\"), b@y", "a@x|b@y|"},
    {"a parenthesis in a quoted string opens nothing", "\"(\" <a@x>, b@y", "a@x|b@y|"},
    {"a field of comments has no address", "(a@x) (b@y)", ""},

    /* folding */
    {"a field may be folded between addresses", "a@x,\r\n b@y,\n\tc@z", "a@x|b@y|c@z|"},
    {"a field may be folded in a name", "Joe\r\n Doe\r\n <a@x>", "a@x|"},
    {"a field may be folded in a quoted string", "\"joe\r\n doe\"@x", "joe doe@x|"},
    {"a field may be folded in a comment", "a@x (v@y,\r\n v@y,\r\n v@y)", "a@x|"},
    {"a field may be folded in an address", "joe\r\n .doe@\r\n x", "joe.doe@x|"},

    /* RFC 5322 4.4, obsolete forms */
    {"blanks around dots and the at sign are dropped", "joe . q @ example . com",
     "joe.q@example.com|"},
    {"blanks in an angle address are dropped", "< joe . q @ example . com >", "joe.q@example.com|"},
    {"a source route is dropped", "Joe <@a,@b:joe@c>", "joe@c|"},
    {"a source route may hold blanks", "Joe < @ a . b , (c) @b : joe@c >", "joe@c|"},
    {"a source route may hold empty members", "<,,@a,,@b:joe@c>", "joe@c|"},
    {"a source route may hold a literal", "<@[192.0.2.7],@[IPv6:::1]:joe@c>", "joe@c|"},
    {"a colon after a source route is part of the local part", "<@a:joe:doe@x>", "joe:doe@x|"},
    {"a source route may stand before a word alone", "<@a:root>", "root|"},
    {"empty list members are skipped", ",, a@x , (c) ,, b@y,,", "a@x|b@y|"},

    /* groups */
    {"the members of a group are read", "friends: a@x, B <b@y>;", "a@x|b@y|"},
    {"an empty group has no address", "undisclosed-recipients:;", ""},
    {"an empty group may hold a comment", "Undisclosed recipients: (v@y) ;", ""},
    {"empty members of a group are skipped", "g:,,a@x,,;", "a@x|"},
    {"a group may stand between addresses", "a@x, g: b@y;, c@z", "a@x|b@y|c@z|"},
    {"the name of a group is not an address", "v@y: a@x;", "a@x|"},
    {"the name of a group may be quoted", "\"v@y: w@z\": a@x;", "a@x|"},
    {"a route may stand in a group", "g: <@a:joe@c>, b@x;", "joe@c|b@x|"},
    {"a group that is never closed is read", "g: a@x, b@y", "a@x|b@y|"},
    {"no comma is needed before a group", "<a@x> g: b@y;", "a@x|b@y|"},
    {"no comma is needed after a group", "g: a@x; b@y", "a@x|b@y|"},

    /* addresses without domain */
    {"a word alone is an address without domain", "root", "root|"},
    {"a word alone may follow an address", "a@x, root", "a@x|root|"},
    {"a word alone in brackets is an address without domain", "Root <root>", "root|"},
    {"a word alone may stand in a group", "g: root;", "root|"},
    {"a quoted word alone is an address without domain", "\"John Doe\"", "John Doe|"},
    {"an unquoted comma splits a name", "Doe, John <j@x>", "Doe|j@x|"},
    {"two words are a name without address", "John Doe, a@x", "a@x|"},
    {"a quoted address alone is no address", "\"v@y\", a@x", "a@x|"},
    {"a quoted address alone in brackets is no address", "<\"v@y\">, a@x", "a@x|"},
    {"a domain with a quoted at sign is no domain", "v@\"x@y\", v@x\\@y, a@x", "a@x|"},
    {"an escaped at sign makes no domain", "v\\@y, a@x", "a@x|"},

    /* what real clients send */
    {"dots may stand anywhere in a local part", ".a..b.@x, <.a..b.@x>", ".a..b.@x|.a..b.@x|"},
    {"square brackets may stand in a local part", "joe[work]@x", "joe[work]@x|"},
    {"a colon may stand in brackets", "<joe:doe@x>", "joe:doe@x|"},
    {"a comma may stand in the local part in brackets", "<doe,joe@x>, a@x", "doe,joe@x|a@x|"},
    {"a blank in brackets is part of the local part", "<joe  doe@x>", "joe doe@x|"},
    {"a backslash quotes one byte outside quotes", "joe\\ doe@x, Doe\\, J <j@x>", "joe doe@x|j@x|"},
    {"quoted and unquoted text join", "a\"b\"c@x", "abc@x|"},
    {"semicolons may separate addresses", "a@x; b@y;c@z", "a@x|b@y|c@z|"},
    {"a name may stand in front without brackets", "John Doe j@x", "j@x|"},
    {"a quoted local part may stand behind a name", "Joe \"q\"@x", "q@x|"},
    {"a name may stand behind without brackets", "j@x John Doe", "j@x|"},
    {"a missing comma is no obstacle", "a@x\r\n b@y", "a@x|b@y|"},
    {"a missing comma after brackets is no obstacle", "A <a@x> B <b@y>", "a@x|b@y|"},
    {"double brackets are read as one pair", "<<a@x>>, b@y", "a@x|b@y|"},
    {"square brackets may stand in a name", "[list, v@y] Joe <j@x>", "j@x|"},
    {"words after the brackets are ignored", "Joe <a@x> v@y, b@z", "a@x|b@z|"},

    /* what is broken */
    {"a local part is needed", "@x, <@x>, \"\"@x, a@y", "a@y|"},
    {"a domain is needed after an at sign", "joe@, <joe@>, a@y", "a@y|"},
    {"empty brackets are no address", "<>, v@y <>, a@y", "a@y|"},
    {"a bracket that is never closed ends at the comma", "Joe <a@x, B <b@y>", "a@x|b@y|"},
    {"a bracket that is never closed leaves the next words alone", "<a@x, B b@y", "a@x|b@y|"},
    {"a bracket that is never closed ends at the semicolon", "g: <a@x; b@y", "a@x|b@y|"},
    {"a bracket that is never closed ends with the field", "Joe <a@x", "a@x|"},
    {"a bracket that was never opened is a blank", "a@x>b@y, >c@z", "a@x|b@y|c@z|"},
    {"a parenthesis that was never opened is a blank", "a@x), )b@y", "a@x|b@y|"},
    {"a route without address is no address", "<@a,@b>, <@a:>, c@x", "c@x|"},
    {"a route that is never closed does not hide the next address", "<@a, b@y", "b@y|"},
    {"a comment that is never closed hides the rest", "a@x, b@y (c, v@z", "a@x|b@y|"},
    {"a quoted string that is never closed hides the rest", "a@x, \"J, v@z <v@z>", "a@x|"},
    {"a literal that is never closed hides the rest", "a@x, [J, v@z <v@z>", "a@x|"},
    {"two at signs are no reason to drop the left name", "a@b@c", "a@b@c|"},
    {"a backslash may end the field", "a@x, b@y\\", "a@x|b@y\\|"},
    {"a backslash may end a quoted string", "a@x, \"b\\", "a@x|b\\|"},
    {"a backslash may end a comment", "a@x (b\\", "a@x|"},
    {"a line feed never stands in an address", "\"a\\\nb\"@x, c\\\nd@y", "ab@x|d@y|"},
    {"signs alone are no address", ":;:;,,<>()[]\"\"..@@::<<>>", ""},
};

static bool append_reading(void *arg, const char *addr, size_t addr_len)
{
    char *text = arg;

    assert_true(addr_len > 0);
    strncat(text, addr, addr_len);
    strcat(text, "|");
    return true;
}

/* A copy of exactly len bytes on the heap, so that a read past the end is caught. */
static char *exact_copy(const char *value, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);

    assert_non_null(copy);
    memcpy(copy, value, len);
    return copy;
}

static void reading_is_as_in_the_table(void **state)
{
    const struct reading *row = *state;
    size_t len = strlen(row->value);
    char *value = exact_copy(row->value, len);
    char text[512] = "";

    assert_true(address_read(value, len, append_reading, text));
    free(value);
    assert_string_equal(text, row->addresses);
}

struct tally {
    size_t count;
    size_t stop_after;
    size_t bytes;
};

static bool tally_one(void *arg, const char *addr, size_t addr_len)
{
    struct tally *tally = arg;

    assert_non_null(addr);
    assert_null(memchr(addr, '\n', addr_len));
    tally->bytes += addr_len;
    return ++tally->count != tally->stop_after;
}

static void reading_stops_when_found_says_so(void **state)
{
    const char value[] = "a@x, b@y c@z, d@x";

    (void)state;
    for (size_t stop_after = 1; stop_after <= 4; stop_after++) {
        struct tally tally = {.stop_after = stop_after};

        assert_false(address_read(value, sizeof(value) - 1, tally_one, &tally));
        assert_int_equal(tally.count, stop_after);
    }
}

static void a_null_value_of_no_bytes_has_no_address(void **state)
{
    struct tally tally = {0};

    (void)state;
    assert_true(address_read(NULL, 0, tally_one, &tally));
    assert_int_equal(tally.count, 0);
}

static void a_length_that_no_memory_can_hold_is_refused(void **state)
{
    struct tally tally = {0};

    (void)state;
    assert_false(address_read("a@x", SIZE_MAX, tally_one, &tally));
    assert_int_equal(tally.count, 0);
}

static void every_truncation_of_a_nasty_field_is_read(void **state)
{
    const char nasty[] =
        "\"D\\\"oe, (J\" (c (d\\)) e) <@a , @[IPv6:::1] : \"j\\\\ q\" . k @ [1.2 ] >"
        ",\r\n g: , <<x@y>,z@w> ; v\\@y u [a, b] t@s r \0 q@p.;;:,\"open (\\";

    (void)state;
    for (size_t from = 0; from < sizeof(nasty); from++) {
        for (size_t len = 0; from + len < sizeof(nasty); len++) {
            char *value = exact_copy(nasty + from, len);
            struct tally tally = {0};

            assert_true(address_read(value, len, tally_one, &tally));
            assert_true(tally.bytes <= len);
            free(value);
        }
    }
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

static void deeply_nested_comments_are_skipped(void **state)
{
    const size_t depth = 100000;
    char *open = repeat("(", depth);
    char *close = repeat(")", depth);
    char *value;
    char text[64] = "";

    (void)state;
    assert_true(asprintf(&value, "a@x %s, v@y %s, b@z", open, close) > 0);
    assert_true(address_read(value, strlen(value), append_reading, text));
    assert_string_equal(text, "a@x|b@z|");
    free(value);
    free(close);
    free(open);
}

/* A megabyte of each: one that took quadratic time would never end. */
static void long_runs_of_any_sign_are_read(void **state)
{
    static const char *const pieces[] = {"(",  "((\"", "\"",  "\\",  "\"\\", "<",  "<@a,", "[",
                                         ":",  "a:",   "@",   ".",   ",",    ";",  "a ",   "a@x ",
                                         "<a", "<a@x", "a@,", "() ", "\r\n", "[]", ">",    "a.@\\"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        char *value = repeat(pieces[i], 1000000 / strlen(pieces[i]));
        struct tally tally = {0};

        assert_true(address_read(value, strlen(value), tally_one, &tally));
        assert_true(tally.bytes <= strlen(value));
        free(value);
    }
}

static int run_readings(void)
{
    struct CMUnitTest tests[COUNT_OF(readings)];

    for (size_t i = 0; i < COUNT_OF(readings); i++)
        tests[i] = (struct CMUnitTest){.name = readings[i].sentence,
                                       .test_func = reading_is_as_in_the_table,
                                       .initial_state = &readings[i]};
    return cmocka_run_group_tests_name("address reading", tests, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_stops_when_found_says_so),
        cmocka_unit_test(a_null_value_of_no_bytes_has_no_address),
        cmocka_unit_test(a_length_that_no_memory_can_hold_is_refused),
        cmocka_unit_test(every_truncation_of_a_nasty_field_is_read),
        cmocka_unit_test(deeply_nested_comments_are_skipped),
        cmocka_unit_test(long_runs_of_any_sign_are_read),
    };
    int failed = run_readings();

    failed += cmocka_run_group_tests_name("address", tests, NULL, NULL);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
