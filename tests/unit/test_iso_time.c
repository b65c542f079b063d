/* test_iso_time - times are printed and parsed as in the calendar, and wrong ones refused */
#include "lib/iso_time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/unit/unit.h"

static void times_are_those_of_the_calendar(void **state)
{
    char is[ISO_TIME_SIZE], expected[ISO_TIME_SIZE + 8];
    int64_t again;

    (void)state;
    for (int64_t day = 0; day < 366 * 1000; day++) {
        int64_t ms = day * 86400000 + day * 7919 % 86400000;
        time_t seconds = ms / 1000;
        struct tm tm;

        gmtime_r(&seconds, &tm);
        strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(expected + 19, sizeof expected - 19, ".%03uZ", (unsigned)(ms % 1000));
        iso_time_print(ms, is);
        assert_string_equal(is, expected);
        assert_true(iso_time_parse(is, &again));
        assert_int_equal(again, ms);
    }
}

static void times_out_of_bounds_become_the_nearest(void **state)
{
    static const struct {
        int64_t ms;
        const char *expected;
    } times[] = {{-1, "1970-01-01T00:00:00.000Z"},
                 {INT64_MIN, "1970-01-01T00:00:00.000Z"},
                 {INT64_C(253402300799999), "9999-12-31T23:59:59.999Z"},
                 {INT64_C(253402300800000), "9999-12-31T23:59:59.999Z"},
                 {INT64_MAX, "9999-12-31T23:59:59.999Z"}};
    char is[ISO_TIME_SIZE];

    (void)state;
    for (size_t n = 0; n < LENGTH(times); n++) {
        iso_time_print(times[n].ms, is);
        assert_string_equal(is, times[n].expected);
    }
}

static void wrong_times_are_refused(void **state)
{
    static const char *const times[] = {
        "2026-02-29T19:04:43.123Z",
        "2100-02-29T19:04:43.123Z",
        "2026-13-22T19:04:43.123Z",
        "2026-00-22T19:04:43.123Z",
        "2026-11-00T19:04:43.123Z",
        "2026-11-31T19:04:43.123Z",
        "2026-11-22T24:04:43.123Z",
        "2026-11-22T19:60:43.123Z",
        "2026-11-22T19:04:60.123Z",
        "2026-11-22T19:04:43,123Z",
        "2026-11-22T19:04:43.123z",
        "1969-12-31T23:59:59.999Z",
        "+026-11-22T19:04:43.123Z",
        "2026-11-22T19:04:43.12:Z",
        "\xff\xff\xff\xff-11-22T19:04:43.123Z",
    };
    int64_t ms;

    (void)state;
    for (size_t n = 0; n < LENGTH(times); n++)
        if (iso_time_parse(times[n], &ms))
            fail_msg("taken: %s", times[n]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_those_of_the_calendar),
        cmocka_unit_test(times_out_of_bounds_become_the_nearest),
        cmocka_unit_test(wrong_times_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
