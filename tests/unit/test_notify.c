/* test_notify - whether what is written to stderr comes to the journal of a service manager */
#include "lib/notify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static void the_journal_is_known_by_its_file(void **state)
{
    struct stat status;
    char name[64];

    (void)state;
    assert_int_equal(fstat(STDERR_FILENO, &status), 0);
    snprintf(name, sizeof name, "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    setenv("JOURNAL_STREAM", name, 1);
    assert_true(notify_has_journal());
    snprintf(name, sizeof name, "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino + 1);
    setenv("JOURNAL_STREAM", name, 1); /* stderr was redirected since */
    assert_false(notify_has_journal());
}

static void without_a_service_manager_there_is_none(void **state)
{
    (void)state;
    unsetenv("JOURNAL_STREAM");
    assert_false(notify_has_journal());
    setenv("JOURNAL_STREAM", "", 1);
    assert_false(notify_has_journal());
    setenv("JOURNAL_STREAM", "8", 1);
    assert_false(notify_has_journal());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_journal_is_known_by_its_file),
        cmocka_unit_test(without_a_service_manager_there_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
