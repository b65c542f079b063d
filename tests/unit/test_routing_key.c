/* test_routing_key - the spelling of lookups, and other spellings of one address */
#include "table/routing_key.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "table/respell.h"
#include "tests/unit/unit.h"

static void external_forms_and_routing_keys_agree_with_postfix(void **state)
{
    static const struct {
        const char *external, *internal, *key;
    } cases[] = {
        {"bob@dest.example", "bob@dest.example", "bob@dest.example"},
        {"Bob@DEST.Example", "Bob@DEST.Example", "Bob@DEST.Example"},
        {"carl+x@dest.example", "carl+x@dest.example", "carl+x@dest.example"},
        {"\"quo ted\"@dest.example", "quo ted@dest.example", "\"quo ted\"@dest.example"},
        {"\"needless\"@dest.example", "needless@dest.example", "needless@dest.example"},
        {"\"a\\\"b\\\\c\"@dest.example", "a\"b\\c@dest.example", "\"a\\\"b\\\\c\"@dest.example"},
        {"\"two@signs\"@dest.example", "two@signs@dest.example", "\"two@signs\"@dest.example"},
        {"\"\"@dest.example", "@dest.example", "\"\"@dest.example"},
        {"\"a..b\"@dest.example", "a..b@dest.example", "\"a..b\"@dest.example"},
        {"\".a\"@dest.example", ".a@dest.example", "\".a\"@dest.example"},
        {"\"a.\"@dest.example", "a.@dest.example", "\"a.\"@dest.example"},
        {"user%other@dest.example", "user%other@dest.example", "user%other@dest.example"},
        {"host!user@dest.example", "host!user@dest.example", "host!user@dest.example"},
        {"u@[192.0.2.7]", "u@[192.0.2.7]", "u@[192.0.2.7]"},
        {"u@[IPv6:2001:db8::7]", "u@[IPv6:2001:db8::7]", "u@[IPv6:2001:db8::7]"},
        {"j\xc3\xb6rg@dest.example", "j\xc3\xb6rg@dest.example", "j\xc3\xb6rg@dest.example"},
        {"esc\\@ped@dest.example", "esc@ped@dest.example", "\"esc@ped\"@dest.example"},
        {"nodomain", "nodomain", "nodomain"},
        {"\"open@dest.example", "open@dest.example", "open@dest.example"},
        {"\\", "\\", "\"\\\\\""},
        {"", "", "\"\""},
    };

    (void)state;
    for (size_t n = 0; n < LENGTH(cases); n++) {
        char *internal = routing_key_internal(cases[n].external);
        char *key = routing_key_format(internal);

        assert_string_equal(internal, cases[n].internal);
        assert_string_equal(key, cases[n].key);
        free(internal);
        free(key);
    }
}

static void what_postfix_will_ask_for_is_told_from_what_it_says(void **state)
{
    static const struct {
        const char *given, *folded, *expected;
        enum routing_key_source source;
    } cases[] = {
        {"bob@dest.example", "bob@dest.example", "bob@dest.example", ROUTING_KEY_EXACT},
        {"Bob@DEST.Example", "bob@dest.example", "Bob@DEST.Example", ROUTING_KEY_EXACT},
        {"Bob@DEST.Example.", "bob@dest.example", "Bob@DEST.Example", ROUTING_KEY_EXACT},
        {"Bob@Host", "bob@host", "Bob@Host", ROUTING_KEY_EXACT},
        {"Bob@Host", "bob@host.origin.example", "Bob@Host.origin.example", ROUTING_KEY_MAILBOX},
        {"NoDomain", "nodomain@origin.example", "NoDomain@origin.example", ROUTING_KEY_MAILBOX},
        {"Site!User", "user@site", "User@Site", ROUTING_KEY_EXACT},
        {"a!A", "a@a", "A@a", ROUTING_KEY_EXACT},
        {"A.example!b.example!Joe", "b.example!joe@a.example", "b.example!Joe@A.example",
         ROUTING_KEY_EXACT},
        {"User%Other.Example", "user@other.example", "User@Other.Example", ROUTING_KEY_EXACT},
        {"a%b%C.example", "a%b@c.example", "a%b@C.example", ROUTING_KEY_EXACT},
        {"User%Other", "user@other.origin.example", "User@Other.origin.example",
         ROUTING_KEY_MAILBOX},
        {"a!b@c.example", "a!b@c.example", "a!b@c.example", ROUTING_KEY_EXACT},
        {"Quo Ted@X.y", "quo ted@x.y", "Quo Ted@X.y", ROUTING_KEY_EXACT},
        {"U@[IPv6:2001:DB8::7]", "u@[ipv6:2001:db8::7]", "U@[IPv6:2001:DB8::7]", ROUTING_KEY_EXACT},
        {"J\xc3\x96RG@Dest.Example", "j\xc3\xb6rg@dest.example", "J\xc3\x96RG@Dest.Example",
         ROUTING_KEY_EXACT},
        {"Stra\xc3\x9f"
         "e@X.y",
         "strasse@x.y",
         "Stra\xc3\x9f"
         "e@X.y",
         ROUTING_KEY_EXACT},
        {"joe@fa\xc3\x9f.y", "joe@fass.y", "joe@fa\xc3\x9f.y", ROUTING_KEY_EXACT},
        {"J\xc3\x96RG", "j\xc3\xb6rg@origin.example", "j\xc3\xb6rg@origin.example",
         ROUTING_KEY_GUESS},
        {"bob (c)@x.y", "bob@x.y", "bob@x.y", ROUTING_KEY_GUESS},
        {"User%Other.example@[127.0.0.1]", "user@other.example", "User@Other.example",
         ROUTING_KEY_EXACT},
        {"User%Other.example@Here.example", "user@other.example", "user@other.example",
         ROUTING_KEY_GUESS},
        {"Bob@", "bob@origin.example", "Bob@origin.example", ROUTING_KEY_MAILBOX},
        {"Ta\tb@X.y", "ta?b@x.y", "Ta?b@X.y", ROUTING_KEY_EXACT},
        {"bob@x.y", "bob@rewritten.y", "bob@rewritten.y", ROUTING_KEY_GUESS},
        {"other@x.y", "rewritten@x.y", "rewritten@x.y", ROUTING_KEY_GUESS},
        {"", "x@y", "x@y", ROUTING_KEY_GUESS},
        {".", "x@y", "x@y", ROUTING_KEY_GUESS},
        {"!", "@", "@", ROUTING_KEY_EXACT},
        {"x", "", "", ROUTING_KEY_GUESS},
    };

    (void)state;
    for (size_t n = 0; n < LENGTH(cases); n++) {
        enum routing_key_source source = ROUTING_KEY_GUESS;
        char *result = routing_key_resolve(cases[n].given, cases[n].folded, &source);

        assert_string_equal(result, cases[n].expected);
        assert_int_equal(source, cases[n].source);
        free(result);
    }
}

static void all_spellings_differ_but_for_the_case_of_the_domain_only(void **state)
{
    static const struct {
        const char *address;
        uint32_t count;
    } cases[] = {
        {"bob@dest.example", 1023},
        {"b@ab.c", 7},
        {"u@1.cn", 3},
        {"u@x", 1},
        {"u@[192.0.2.7]", 0},
        {"u@[IPv6:fe80::abcd]", 0},
        {"u@1.2", 0},
        {"nodomain", 0},
        {"\"A@b\"@X.y", 3},
    };

    (void)state;
    for (size_t n = 0; n < LENGTH(cases); n++) {
        const char *address = cases[n].address;
        uint32_t count = respell_count(address);
        char(*spellings)[32] = calloc(count + 1, sizeof *spellings);

        assert_int_equal(count, cases[n].count);
        strcpy(spellings[0], address);
        for (uint32_t i = 1; i <= count; i++) {
            size_t local_len = (size_t)(routing_key_domain(address) - address);

            respell(address, i, spellings[i]);
            assert_int_equal(strcasecmp(spellings[i], address), 0);
            assert_memory_equal(spellings[i], address, local_len);
            for (uint32_t j = 0; j < i; j++)
                assert_string_not_equal(spellings[i], spellings[j]);
        }
        free(spellings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(external_forms_and_routing_keys_agree_with_postfix),
        cmocka_unit_test(what_postfix_will_ask_for_is_told_from_what_it_says),
        cmocka_unit_test(all_spellings_differ_but_for_the_case_of_the_domain_only),
    };

    return cmocka_run_group_tests_name("routing key", tests, NULL, NULL);
}
