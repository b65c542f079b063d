/* test_perl_pattern - Perl patterns as those of the rules file, and why some are none */
#include "import/perl_pattern.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

struct result {
    char *pattern, *notes;
    char reason[PERL_REASON_SIZE];
};

/* quoted is as between slashes or, where it begins with ', single quotes; flags follow. */
static struct result convert(const char *quoted)
{
    char open = *quoted;
    const char *end = strrchr(quoted, open);
    struct perl_pattern pattern = {
        .flags = end + 1, .flags_len = strlen(end + 1), .interpolates = open != '\''};
    struct result result = {0};
    char *text = perl_quote_strip(quoted + 1, (size_t)(end - quoted - 1), open, true, &pattern.len);

    pattern.text = text;
    result.pattern = perl_pattern_convert(&pattern, &result.notes, result.reason);
    free(text);
    return result;
}

static const struct {
    const char *quoted, *pattern;
} same[] = {
    {"/^5/", "/^5/"},
    {"/^flash$/i", "/^flash$/i"},
    {"/a/xis", "/a/ixs"},
    {"/a/m", "/(?m)a/"},
    {"/a/nmxx", "/(?mnxx)a/"},
    {"/a/opad", "/a/"},
    {"/a|$|b$|(c$)/", "/a|$|b$|(c$)/"},
    {"/a\\/b/", "/a\\/b/"},
    {"!a/b[/]!", "/a\\/b[\\/]/"},
    {"!a\\!b!", "/a!b/"},
    {"|a\\|b|", "/a|b/"}, /* as perlop(1) has it: the backslash goes */
    {"'^$x@y'", "/^$x@y/"},
    {"/a\\$b\\@c/", "/a\\$b\\@c/"},
    {"/a@ b@.c@/", "/a@ b@.c@/"},
    {"/\\Qa.b$ c\\E./", "/a\\.b\\$\\ c./"},
    {"/\\Q[a\\b/", "/\\[a\\\\b/"},
    {"/[\\Q]^\\E]/", "/[\\]\\^]/"},
    {"/a\\Eb/", "/ab/"},
    {"/a\nb\tc\rd/", "/a\\nb\\tc\\x0dd/"},
    {"/a\\\nb/", "/a\\nb/"},
    {"/ a\n\tb  c /x", "/ a b c /x"},
    {"/(?x) a\n b (?-x: c\n)/", "/(?x) a b (?-x: c\\n)/"},
    {"/(?^x:a b)\n/x", "/(?^x:a b) /x"},
    {"/[ a\n]/x", "/[ a\\n]/x"},
    {"/a\\ b\\#c/x", "/a\\ b\\#c/x"},
    {"/\\x41\\x{e9}\\x5\\101\\0\\o{101}\\cA\\c?/", "/\\x41\\xe9\\x05\\x41\\x00\\x41\\x01\\x7f/"},
    {"/[\\1\\b\\x41-\\x43]/", "/[\\x01\\b\\x41-\\x43]/"},
    {"/(.)\\1(?<n>a)\\k<n>\\k'n'\\k{n}\\g{-1}\\g1\\g{n}/",
     "/(.)\\1(?<n>a)\\k<n>\\k'n'\\k{n}\\g{-1}\\g1\\g{n}/"},
    {"/\\d\\D\\w\\W\\s\\S\\h\\H\\v\\V\\R\\N\\A\\b\\B\\z\\Z\\K\\n\\r\\t\\f\\e\\a/",
     "/\\d\\D\\w\\W\\s\\S\\h\\H\\v\\V\\R\\N\\A\\b\\B\\z\\Z\\K\\n\\r\\t\\f\\e\\a/"},
    {"/a{2}b{2,}c{2,3}d{e}{,}\\N{2}/", "/a{2}b{2,}c{2,3}d{e}{,}\\N{2}/"},
    {"/[]a][^]a][[:alpha:]][[:^digit:]x]/", "/[]a][^]a][[:alpha:]][[:^digit:]x]/"},
    {"/[.x.][=]/", "/[\\.x.][\\=]/"},
    {"/(?:a)(?=b)(?!c)(?<=d)(?<!e)(?>f)(?|g|h)(?i)j(?i-s:k)(?)/",
     "/(?:a)(?=b)(?!c)(?<=d)(?<!e)(?>f)(?|g|h)(?i)j(?i-s:k)(?)/"},
    {"/(?<n>a)(?'o'b)(?P<p>c)(?P=p)(?&n)(?P>o)(?1)(?-1)(?R)?(?(1)d|e)(?(<n>)f)/",
     "/(?<n>a)(?'o'b)(?P<p>c)(?P=p)(?&n)(?P>o)(?1)(?-1)(?R)?(?(1)d|e)(?(<n>)f)/"},
    {"/(?(?=a)b|c)/", "/(?(?=a)b|c)/"},
    {"/a++b*?c{2}+/", "/a++b*?c{2}+/"},
    {"/\xc3\xa9\\\xe9/", "/\xc3\xa9\\\xe9/"},
    {"/((a)b)(?#c)\\1/", "/((a)b)(?#)\\1/"},
    {"/((a))+/", "/((a))+/"},
};

static void what_means_the_same_is_converted(void **state)
{
    (void)state;
    for (size_t n = 0; n < LENGTH(same); n++) {
        struct result result = convert(same[n].quoted);

        if (result.pattern == NULL || strcmp(result.pattern, same[n].pattern) != 0)
            fail_msg("%s becomes %s instead of %s (%s)", same[n].quoted, result.pattern,
                     same[n].pattern, result.reason);
        free(result.pattern);
        free(result.notes);
    }
}

static const struct {
    const char *quoted, *reason;
} different[] = {
    {"//", "Perl takes an empty pattern"},
    {"/a$b/", "the pattern holds a Perl variable; write its value, or \\$ for"},
    {"/[$]/", "the pattern holds a Perl variable"},
    {"/a@b/", "the pattern holds a Perl variable; write its value, or \\@ for"},
    {"/@{[1]}/", "the pattern holds a Perl variable"},
    {"/\\Q$a\\E/", "the pattern holds a Perl variable"},
    {"/a/g", "Perl knows no flag \"g\""},
    {"/a/u", "flag u takes letters above 127 from Unicode"},
    {"/a/l", "flag l takes letters above 127 from the locale"},
    {"/\\pL/", "\\p is for Unicode characters"},
    {"/\\P{L}/", "\\P is for Unicode characters"},
    {"/\\X/", "\\X is for Unicode characters"},
    {"/\\b{wb}/", "\\b{..} is for Unicode text"},
    {"/\\N{U+41}/", "\\N with a character's name"},
    {"/\\x{100}/", "\\x is not the number of a byte"},
    {"/\\x{4 1}/", "\\x is not the number of a byte"},
    {"/\\x/", "\\x is not the number of a byte"},
    {"/\\c\\/", "\\c is not the number of a byte"},
    {"/\\10/", "\\10 may be a group or a byte"},
    {"/[\\8]/", "\\8 may be a group or a byte"},
    {"/\\Ua/", "\\U is not understood"},
    {"/\\Qa\\Ub\\E/", "\\U within \\Q is not read"},
    {"'\\Qa'", "\\Q is not understood"},
    {"/\\G5/", "\\G is for repeated matches"},
    {"/\\y/", "\\y means nothing to Perl;"},
    {"/[\\A]/", "\\A means nothing to Perl in [..]"},
    {"/\\k/", "\\k needs a group"},
    {"/\\g<1>/", "\\g needs a group"},
    {"/a{,3}/", "newer Perl reads \"{,3}\""},
    {"/a{ 3 }/", "newer Perl reads \"{ 3 }\""},
    {"/a+ ?/x", "a \"?\" that belongs to the quantifier"},
    {"/(?{a})/", "(?{..}) runs Perl code"},
    {"/(??{a})/", "(?{..}) runs Perl code"},
    {"/(?[a])/", "(?[..]) is not converted"},
    {"/(*FAIL)/", "(*..) steers"},
    {"/(?a:b)/", "(?a is not converted"},
    {"/(?1.)/", "the call of a group"},
    {"/(?(a.b)c)/", "the condition of a (?(..)"},
    {"/(?<a/", "the name of a group"},
    {"/(?#a/", "a (?# in the pattern is not closed"},
    {"/[a/", "a [ in the pattern is not closed"},
    {"/a)/", "the pattern has a ) without its ("},
    {"/(?=a)*/", "a repeated (?=..)"},
    {"/(?:(a)|b)+\\1/", "the pattern refers to a group that is captured within a repeated"},
    {"/(?!(a))b\\1/", "the pattern refers to a group that is captured within a repeated"},
    {"/a\x85/x", "Perl takes the byte \\x85"},
    {"/[]#\\Qa\\E]/x", "Perl may take the # here for a comment"},
    {"/[[:alpha:]#]/x", "Perl may take the # here for a comment"},
    {"/\\Qa#b\\E/x", "Perl may take the # here for a comment"},
    {"/(?x) # $a\n/", "Perl reads variables and escapes in this comment"},
    {"/(?x) # \\Q\n/", "Perl reads variables and escapes in this comment"},
};

static void what_differs_is_refused(void **state)
{
    (void)state;
    for (size_t n = 0; n < LENGTH(different); n++) {
        struct result result = convert(different[n].quoted);

        if (result.pattern != NULL ||
            strncmp(result.reason, different[n].reason, strlen(different[n].reason)) != 0)
            fail_msg("%s becomes %s, reason \"%s\" instead of \"%s\"", different[n].quoted,
                     result.pattern, result.reason, different[n].reason);
    }
}

static void comments_become_notes(void **state)
{
    struct result result = convert("/a # $one {\n  b(?# two )#three/x");

    (void)state;
    assert_string_equal(result.pattern, "/a  b(?#)/x");
    assert_string_equal(result.notes, " $one {\n two \nthree\n");
    free(result.pattern);
    free(result.notes);
}

static void groups_nest_as_deep_as_pcre2_lets_them(void **state)
{
    char text[1024] = "/";
    struct result result;

    (void)state;
    for (int n = 0; n < 250; n++)
        strcat(text, "(");
    for (int n = 0; n < 250; n++)
        strcat(text, ")");
    strcat(text, "/");
    result = convert(text);
    assert_string_equal(result.pattern, text);
    free(result.pattern);
    free(result.notes);
    text[0] = '(';
    text[strlen(text) - 1] = '(';
    memmove(text + 1, text, strlen(text) + 1);
    text[0] = text[strlen(text) - 1] = '/';
    result = convert(text);
    assert_null(result.pattern);
    assert_string_equal(result.reason, "groups are nested too deeply; at most 250");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_means_the_same_is_converted),
        cmocka_unit_test(what_differs_is_refused),
        cmocka_unit_test(comments_become_notes),
        cmocka_unit_test(groups_nest_as_deep_as_pcre2_lets_them),
    };

    return cmocka_run_group_tests_name("perl_pattern", tests, NULL, NULL);
}
