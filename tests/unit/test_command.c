/* test_command - command lines in sh syntax, with facts in them, and what no shell is there for */
#include "lib/command.h"

#include <stdlib.h>
#include <string.h>

#include "lib/settings.h"
#include "tests/unit/report.h"
#include "tests/unit/unit.h"

static const char *const facts[FACT_NUMBER] = {"postfix4",   "4",
                                               "4ABC",       "\"x; rm -rf $HOME\"@d",
                                               "a@x\nb c@x", "5.1.1 `id` $(id) 'q' \\ | > %s",
                                               "1"};

/* The words with | behind each. */
static void expect_words(const char *text, const char *expected)
{
    char why[COMMAND_WHY_SIZE] = "";
    char joined[1024] = "";
    char **words = command_split(text, facts, why);

    assert_string_equal(why, "");
    assert_non_null(words);
    for (char **word = words; *word != NULL; word++) {
        strcat(joined, *word);
        strcat(joined, "|");
    }
    assert_string_equal(joined, expected);
    command_free(&words);
    assert_null(words);
}

static void expect_why(const char *text, const char *expected)
{
    char why[COMMAND_WHY_SIZE] = "";

    assert_false(command_is_good(text, why));
    assert_non_null(strstr(why, expected));
}

static void words_are_split_as_sh_does(void **state)
{
    (void)state;
    expect_words("snmptrap -v 2c", "snmptrap|-v|2c|");
    expect_words(" \t a\t b ", "a|b|");
    expect_words("a '' \"\" ''\"\"", "a||||");
    expect_words("a 'b c'd\"e f\"", "a|b cde f|");
    expect_words("a\\ b c\\\\d \\$x \\'", "a b|c\\d|$x|'|");
    expect_words("a '\\' '$x `y` \"'", "a|\\|$x `y` \"|");
    expect_words("a \"\\$x \\\\ \\\" \\n '\"", "a|$x \\ \" \\n '|");
    expect_words("a ';' \"|&<>()\" \\; '#' b#c x~ '~' [x]*?", "a|;||&<>()|;|#|b#c|x~|~|[x]*?|");
    expect_words("env A=b c", "env|A=b|c|");
    expect_words("./a=b", "./a=b|");
}

static void a_fact_stays_in_its_word_whatever_it_says(void **state)
{
    (void)state;
    expect_words("c $PEG_BOUNCE_SENDER x", "c|\"x; rm -rf $HOME\"@d|x|");
    expect_words("c \"$PEG_BOUNCE_RECIPIENTS\"", "c|a@x\nb c@x|");
    expect_words("c p$PEG_BOUNCE_PRIORITY-${PEG_BOUNCE_COUNT}0", "c|p4-10|");
    expect_words("c ${PEG_BOUNCE_QUEUE_ID}_x", "c|4ABC_x|");
    expect_words("c a\"b $PEG_BOUNCE_REASON\"c", "c|ab 5.1.1 `id` $(id) 'q' \\ | > %sc|");
    expect_words("c '$PEG_BOUNCE_SENDER' \\$PEG_BOUNCE_SENDER",
                 "c|$PEG_BOUNCE_SENDER|$PEG_BOUNCE_SENDER|");
}

static void an_empty_fact_is_an_empty_word(void **state)
{
    static const char *const nothing[FACT_NUMBER] = {"", "", "", "", "", "", ""};
    char why[COMMAND_WHY_SIZE];
    char **words = command_split("c $PEG_BOUNCE_SENDER", nothing, why);

    (void)state;
    assert_non_null(words);
    assert_string_equal(words[1], "");
    assert_null(words[2]);
    command_free(&words);
}

static void what_a_shell_would_do_is_an_error(void **state)
{
    static const char *const shell[] = {"a; b", "a &", "a | b", "a < b", "a > b", "(a)", "a 2>&1"};

    (void)state;
    for (size_t i = 0; i < LENGTH(shell); i++)
        expect_why(shell[i], "is for a shell");
    expect_why("a `b`", "would run a command");
    expect_why("a \"`b`\"", "would run a command");
    expect_why("a #b", "\"#\" at the beginning");
    expect_why("~/a", "\"~\" at the beginning");
    expect_why("A=b c", "env NAME=value");
    expect_why("a\nb", "on one line");
    expect_why("a 'b\nc'", "on one line");
    expect_why("a \x7f", "control characters");
}

static void a_dollar_is_for_facts_alone(void **state)
{
    static const char *const others[] = {"a $(b)",
                                         "a $",
                                         "a $ b",
                                         "a $((1))",
                                         "a ${",
                                         "a ${}",
                                         "a $?",
                                         "a \"$\"",
                                         "a ${PEG_BOUNCE_COUNT",
                                         "a $@",
                                         "a ${PEG_BOUNCE_COUNT:-1}"};

    (void)state;
    for (size_t i = 0; i < LENGTH(others); i++)
        expect_why(others[i], "stands before a name only");
    expect_why("a $HOME", "there is no $HOME;");
    expect_why("a \"${PEG_BOUNCE_REASONS}\"", "there is no $PEG_BOUNCE_REASONS;");
    expect_why("a $PEG_BOUNCE", "there is no $PEG_BOUNCE;");
    expect_why("$PEG_BOUNCE_SENDER a", "cannot depend on a message");
    expect_why("/bin/\"$PEG_BOUNCE_SENDER\"", "cannot depend on a message");
}

static void what_is_not_finished_is_an_error(void **state)
{
    (void)state;
    expect_why("", "there is no command");
    expect_why(" \t", "there is no command");
    expect_why("'' a", "the name of the command is empty");
    expect_why("a 'b", "single quote");
    expect_why("a \"b", "double quote");
    expect_why("a \"b\\", "double quote");
    expect_why("a \\", "last backslash");
}

static void a_wrong_command_is_named_with_its_line(void **state)
{
    static const char text[] = "\nBOUNCE_COMMAND[4]='a | b'\nBOUNCE_COMMAND_DEFAULT='a $X'\n";
    struct report report;

    (void)state;
    report_init(&report);
    assert_null(settings_parse("", text, strlen(text), "f", &report.diag));
    assert_string_equal(
        report.text,
        "f:2: BOUNCE_COMMAND[4] = \"a | b\": \"|\" is for a shell, and none runs; quote it if it "
        "belongs to a word\n"
        "f:3: BOUNCE_COMMAND_DEFAULT = \"a $X\": there is no $X; there are $PEG_BOUNCE_INSTANCE, "
        "_PRIORITY, _QUEUE_ID, _SENDER, _RECIPIENTS, _REASON and _COUNT\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_split_as_sh_does),
        cmocka_unit_test(a_fact_stays_in_its_word_whatever_it_says),
        cmocka_unit_test(an_empty_fact_is_an_empty_word),
        cmocka_unit_test(what_a_shell_would_do_is_an_error),
        cmocka_unit_test(a_dollar_is_for_facts_alone),
        cmocka_unit_test(what_is_not_finished_is_an_error),
        cmocka_unit_test(a_wrong_command_is_named_with_its_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
