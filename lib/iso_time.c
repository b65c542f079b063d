/*
 * iso_time - times as text that sorts
 *
 * Days in the Gregorian calendar, counted in years that begin with March, so that February's last
 * day comes last. gmtime_r(3) and timegm(3) take a lock and read the time zone.
 */
#include "lib/iso_time.h"

#include <string.h>

enum { DAYS_TO_1970 = 719468, DAYS_IN_400_YEARS = 146097 };

#define TIME_MAX_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;

    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * ((month + 9) % 12) + 2) / 5 + day - 1 -
           DAYS_TO_1970;
}

static void date_of(int64_t days, int *year_r, int *month_r, int *day_r)
{
    int cycle = (int)((days + DAYS_TO_1970) / DAYS_IN_400_YEARS);
    int day = (int)((days + DAYS_TO_1970) % DAYS_IN_400_YEARS);
    int year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int month;

    day -= 365 * year + year / 4 - year / 100;
    month = (5 * day + 2) / 153; /* 0: March */
    *day_r = day - (153 * month + 2) / 5 + 1;
    *month_r = month < 10 ? month + 3 : month - 9;
    *year_r = 400 * cycle + year + (month >= 10);
}

static void put_digits(char *at, int count, int64_t number, char behind)
{
    at[count] = behind;
    while (count > 0) {
        at[--count] = (char)('0' + number % 10);
        number /= 10;
    }
}

void iso_time_print(int64_t wall_ms, char text_r[ISO_TIME_SIZE])
{
    int64_t ms = wall_ms < 0 ? 0 : wall_ms > TIME_MAX_MS ? TIME_MAX_MS : wall_ms;
    int year, month, day;

    date_of(ms / 86400000, &year, &month, &day);
    put_digits(text_r, 4, year, '-');
    put_digits(text_r + 5, 2, month, '-');
    put_digits(text_r + 8, 2, day, 'T');
    put_digits(text_r + 11, 2, ms / 3600000 % 24, ':');
    put_digits(text_r + 14, 2, ms / 60000 % 60, ':');
    put_digits(text_r + 17, 2, ms / 1000 % 60, '.');
    put_digits(text_r + 20, 3, ms % 1000, 'Z');
    text_r[ISO_TIME_LEN] = '\0';
}

static int64_t number_in(const char *at, int count)
{
    int64_t number = 0;

    for (int n = 0; n < count; n++)
        number = number * 10 + (at[n] - '0');
    return number;
}

bool iso_time_parse(const char text[ISO_TIME_LEN], int64_t *wall_ms_r)
{
    int64_t minutes =
        days_of(number_in(text, 4), number_in(text + 5, 2), number_in(text + 8, 2)) * (24 * 60) +
        number_in(text + 11, 2) * 60 + number_in(text + 14, 2);
    char again[ISO_TIME_SIZE];

    *wall_ms_r = minutes * 60000 + number_in(text + 17, 2) * 1000 + number_in(text + 20, 3);
    /* What is no time has become some number, which reads differently. */
    iso_time_print(*wall_ms_r, again);
    return memcmp(text, again, ISO_TIME_LEN) == 0;
}
