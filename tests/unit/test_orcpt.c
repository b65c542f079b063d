/* test_orcpt - parameters of a recipient that takes another's place */
#include "milter/orcpt.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

static void parameters_are_kept_and_say_who_was_meant(void **state)
{
    static const struct {
        const char *given, *params, *expected;
    } cases[] = {
        {"bob@dest.example", "", "ORCPT=rfc822;bob@dest.example"},
        {"bob+x@dest.example", "NOTIFY=SUCCESS,FAILURE",
         "NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;bob+2Bx@dest.example"},
        {"bob@dest.example", "NOTIFY=NEVER ORCPT=rfc822;other+2B@dest.example",
         "NOTIFY=NEVER ORCPT=rfc822;other+2B@dest.example"},
        {"bob@dest.example", "orcpt=rfc822;a@b notify=never", "orcpt=rfc822;a@b notify=never"},
        {"\"quo ted=1\"@dest.example", "", "ORCPT=rfc822;\"quo+20ted+3D1\"@dest.example"},
        {"@a,@b:joe@c", "", "ORCPT=rfc822;@a,@b:joe@c"},
        {"j\xc3\xb6rg@dest.example", "", "ORCPT=rfc822;j+C3+B6rg@dest.example"},
        {"x", "ORCPT=utf-8;j\\x{F6}rg@s", "ORCPT=utf-8;j\xc3\xb6rg@s"},
        {"x", "ORCPT=UTF-8;j\xc3\xb6rg@s", "ORCPT=UTF-8;j\xc3\xb6rg@s"},
        {"x", "ORCPT=utf-8;a\\x{2B}b\\x{3d}@s", "ORCPT=utf-8;a+2Bb+3D@s"},
        {"x", "ORCPT=utf-8;\\x{20AC}\\x{1F600}@s", "ORCPT=utf-8;\xe2\x82\xac\xf0\x9f\x98\x80@s"},
        {"x", "ORCPT=utf-8;\\x{}\\x{110000}\\x{41", "ORCPT=utf-8;\\x{}\\x{110000}\\x{41"},
        {"x", "ORCPT=utf-8;\\x{0}\\x{41}", "ORCPT=utf-8;\\x{0}A"},
    };

    (void)state;
    for (size_t n = 0; n < LENGTH(cases); n++) {
        char *params = orcpt_params(cases[n].params, cases[n].given);

        assert_string_equal(params, cases[n].expected);
        free(params);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_kept_and_say_who_was_meant),
    };

    return cmocka_run_group_tests_name("orcpt", tests, NULL, NULL);
}
