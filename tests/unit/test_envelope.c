/* test_envelope - recipients as given and as resolved */
#include "milter/envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static void add(struct envelope *envelope, const char *given, const char *params, const char *macro)
{
    char words[256], *list[8] = {NULL};
    size_t count = 0;

    snprintf(words, sizeof words, "%s", params);
    for (char *rest = words, *word; (word = strtok_r(rest, " ", &rest)) != NULL;)
        list[count++] = word;
    assert_true(envelope_add(envelope, given, list, macro));
}

static void a_recipient_is_kept_in_all_its_forms(void **state)
{
    static const struct {
        const char *given, *macro, *kept, *internal, *key;
    } cases[] = {
        {"<Bob@DEST.Example>", "bob@dest.example", "Bob@DEST.Example", "Bob@DEST.Example",
         "Bob@DEST.Example"},
        {"<nodomain>", "nodomain@origin.example", "nodomain", "nodomain",
         "nodomain@origin.example"},
        {"<\"quo ted\"@dest.example>", "\"quo ted\"@dest.example", "\"quo ted\"@dest.example",
         "quo ted@dest.example", "\"quo ted\"@dest.example"},
        {"bare@dest.example", NULL, "bare@dest.example", "bare@dest.example", "bare@dest.example"},
        {"<trailing@dest.example.>", "trailing@dest.example", "trailing@dest.example.",
         "trailing@dest.example.", "trailing@dest.example"},
        {"<@a.example,@b.example:Joe@c.example>", "joe@c.example",
         "@a.example,@b.example:Joe@c.example", "Joe@c.example", "Joe@c.example"},
    };
    struct envelope envelope = {0};

    (void)state;
    assert_true(envelope_set_sender(&envelope, "<>"));
    assert_string_equal(envelope.sender, "");
    for (size_t n = 0; n < LENGTH(cases); n++) {
        const struct envelope_recipient *is;

        add(&envelope, cases[n].given, "", cases[n].macro);
        is = &envelope.recipients[n];
        assert_string_equal(is->given, cases[n].kept);
        assert_string_equal(is->internal, cases[n].internal);
        assert_string_equal(is->key, cases[n].key);
        assert_string_equal(is->params, "");
    }
    assert_string_equal(envelope_without_route(envelope.recipients[5].given), "Joe@c.example");
    envelope_reset(&envelope);
    assert_int_equal(envelope.count, 0);
    assert_null(envelope.sender);
    envelope_deinit(&envelope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recipient_is_kept_in_all_its_forms),
    };

    return cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}
