/* test_perl_token - the tokens of Perl: what is quoted, what divides, what is a comment */
#include "import/perl_token.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

/* One letter a token, and for signs themselves. */
static void list_kinds(const char *text, char *kinds, size_t size)
{
    static const char letters[] = {
        [PERL_BROKEN] = 'B', [PERL_COMMENT] = 'C', [PERL_DOCUMENT] = 'D', [PERL_WORD] = 'W',
        [PERL_NUMBER] = 'N', [PERL_STRING] = 'S',  [PERL_WORDS] = 'L',    [PERL_PATTERN] = 'P',
        [PERL_ACTION] = 'A', [PERL_VARIABLE] = 'V'};
    struct perl_reader reader;
    size_t count = 0;

    perl_reader_init(&reader, text, strlen(text));
    for (;;) {
        struct perl_token token = perl_reader_next(&reader);

        assert_true(count + 1 < size);
        if (token.kind == PERL_END)
            break;
        kinds[count++] = token.kind == PERL_SIGN ? token.sign : letters[token.kind];
    }
    kinds[count] = '\0';
}

static void text_is_told_from_code(void **state)
{
    static const struct {
        const char *text, *kinds;
    } cases[] = {
        {"[ \"X\", qr/a/i, 0, 1 ],", "[S,P,N,N],"},
        {"X => 1", "W,N"},
        {"qr => qr{a}, q\n=> 'b', s => 1", "W,P,W,S,W,N"},
        {"q(a) qq{b} qw<c d> qr'e' m!f! s/a/b/g tr{a}{b} y,a,b,", "SSLPAAAA"},
        {"s{a}{b}x, s(a) # c\n [b], 1", "A,A,N"},
        {"qr#a#, qr #a\n{b}", "P,P"},
        {"q qaq, 'it\\'s', \"a\\\"b\"", "S,S,S"},
        {"(1) / 2 / 3", "(N)/N/N"},
        {"(/ 2 /, 3)", "(A,N)"},
        {"$x / 2; $/; $#a; $$b; @c; %d; &e; ${f}; @{g}", "V/N;V;V;V;V;V;V;V{W};V{W}"},
        {"my %a = (1 % 2);", "WV=(N%N);"},
        {"\\%a; $a->{b}[0]", "\\V;V->{W}[N]"},
        {"a # \"b\n'c'", "WCS"},
        {"=pod\n\n'\n\n=cut\n'a'", "DS"},
        {"a\n=begin x\n'\n=cut it\n'b'", "WDS"},
        {"=cuts\n'\n=cut", "D"},
        {"$a\n=b", "VD"},
        {"1; __END__\n'", "N;D"},
        {"1; __DATA__ x", "N;D"},
        {"'a", "B"},
        {"'a\nb' qr/", "SB"},
        {"s/a/b", "B"},
        {"s{a} ", "B"},
        {"(<<EOT, 1)", "(B"},
        {"(<<\"EOT\", 1)", "(B"},
        {"(<<~EOT, 1)", "(B"},
        {"1 << 2", "N<<N"},
        {"Foo::Bar::baz 1.5 1_000 0x1f", "WNNN"},
    };

    (void)state;
    for (size_t n = 0; n < LENGTH(cases); n++) {
        char kinds[64];

        list_kinds(cases[n].text, kinds, sizeof kinds);
        if (strcmp(kinds, cases[n].kinds) != 0)
            fail_msg("%s is %s instead of %s", cases[n].text, kinds, cases[n].kinds);
    }
}

static void tokens_know_their_places(void **state)
{
    struct perl_reader reader;
    struct perl_token token;

    (void)state;
    perl_reader_init(&reader, "a, # b\n\n  qr{c\n}i # d", 21);
    token = perl_reader_next(&reader);
    assert_true(token.own_line && !token.blank_before && token.line == 1);
    token = perl_reader_next(&reader);
    assert_true(!token.own_line && token.sign == ',');
    token = perl_reader_next(&reader);
    assert_true(token.kind == PERL_COMMENT && !token.own_line && token.len == 3);
    token = perl_reader_next(&reader);
    assert_true(token.own_line && token.blank_before);
    assert_true(token.line == 3 && token.last_line == 4 && token.len == 7);
    assert_true(token.body_len == 2 && token.flags_len == 1 && token.open == '{');
    token = perl_reader_next(&reader);
    assert_true(token.kind == PERL_COMMENT && token.line == 4 && !token.own_line);
    token = perl_reader_next(&reader);
    assert_int_equal(token.kind, PERL_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_told_from_code),
        cmocka_unit_test(tokens_know_their_places),
    };

    return cmocka_run_group_tests_name("perl_token", tests, NULL, NULL);
}
