/* test_perl_quote - where Perl's quoted texts end, and what they stand for */
#include "import/perl_quote.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static void a_text_ends_at_its_own_delimiter(void **state)
{
    static const struct {
        const char *text; /* with its opening delimiter */
        int len;          /* to the closing one, -1 for none */
    } cases[] = {
        {"/a/b", 1},   {"//", 0},       {"/a\\/b/", 4},   {"/a\\\\/", 3}, {"/a", -1},
        {"/a\\/", -1}, {"{a{b}c}d", 5}, {"{a\\{b}c}", 4}, {"(a(b)", -1},  {"<a>b>", 1},
        {"[[]]]", 2},  {"}a}", 1},      {"#a # b", 2},    {"/a\\", -1},   {"{a}}", 1},
        {"'it", -1},   {"qaq", 1},      {"\"a'b\"", 3},
    };

    (void)state;
    for (size_t n = 0; n < LENGTH(cases); n++) {
        const char *text = cases[n].text + 1;
        const char *end = perl_quote_end(text, text + strlen(text), cases[n].text[0]);
        int len = end != NULL ? (int)(end - text) : -1;

        if (len != cases[n].len)
            fail_msg("%s ends after %d bytes instead of %d", cases[n].text, len, cases[n].len);
    }
}

static void backslashes_before_delimiters_go(void **state)
{
    static const struct {
        const char *text;
        char open;
        bool keep_brackets;
        const char *expected;
    } cases[] = {
        {"a\\/b\\c", '/', false, "a/b\\c"},    {"a\\/b", '/', true, "a/b"},
        {"a\\\\/b", '/', false, "a\\\\/b"},    {"a\\{2\\}b", '{', false, "a{2}b"},
        {"a\\{2\\}b", '{', true, "a\\{2\\}b"}, {"a\\", '/', false, "a\\"},
    };

    (void)state;
    for (size_t n = 0; n < LENGTH(cases); n++) {
        size_t len;
        char *found = perl_quote_strip(cases[n].text, strlen(cases[n].text), cases[n].open,
                                       cases[n].keep_brackets, &len);

        assert_int_equal(len, strlen(cases[n].expected));
        assert_string_equal(found, cases[n].expected);
        free(found);
    }
}

static void escapes_stand_for_characters(void **state)
{
    static const struct {
        const char *text;
        bool interpolates;
        const char *value; /* NULL: refused */
    } cases[] = {
        {"a\\b\\\\c\\n$d@e", false, "a\\b\\c\\n$d@e"},
        {"\\t\\n\\r\\f\\b\\a\\e\\\\\\-\\$\\@", true, "\t\n\r\f\b\a\033\\-$@"},
        {"\\x41\\x{42}\\x4g\\103\\60\\o{104}\\cA\\ca", true, "AB\004gC0D\001\001"},
        {"a@ b@", true, "a@ b@"},
        {"a$b", true, NULL},
        {"a$", true, NULL},
        {"a@b", true, NULL},
        {"@-", true, NULL},
        {"@{a}", true, NULL},
        {"\\Ua", true, NULL},
        {"\\N{U+41}", true, NULL},
        {"\\x{100}", true, NULL},
        {"\\x{4", true, NULL},
        {"\\x", true, NULL},
        {"\\400", true, NULL},
        {"\\8", true, NULL},
        {"\\c", true, NULL},
        {"\\d", true, NULL},
    };

    (void)state;
    for (size_t n = 0; n < LENGTH(cases); n++) {
        char reason[PERL_REASON_SIZE] = "";
        size_t len = 0;
        char *found = perl_quote_value(cases[n].text, strlen(cases[n].text), cases[n].interpolates,
                                       &len, reason);

        if ((found == NULL) != (cases[n].value == NULL) ||
            (found != NULL && strcmp(found, cases[n].value) != 0))
            fail_msg("%s stands for %s instead of %s (%s)", cases[n].text, found, cases[n].value,
                     reason);
        assert_int_equal(reason[0] != '\0', cases[n].value == NULL);
        assert_int_equal(len, found != NULL ? strlen(found) : 0);
        free(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_ends_at_its_own_delimiter),
        cmocka_unit_test(backslashes_before_delimiters_go),
        cmocka_unit_test(escapes_stand_for_characters),
    };

    return cmocka_run_group_tests_name("perl_quote", tests, NULL, NULL);
}
