/* test_record - records and claims' values, written and read back; damage is seen */
#include "store/record.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static const int64_t wall_ms = INT64_C(1795374283123); /* 2026-11-22T19:04:43.123Z */

/* The example of store/record.h. */
static const struct record_recipient recipients[] = {
    {4, 8, RECORD_CLAIMED, "bob@Dest.example", "bob@dest.example"},
    {4, 8, RECORD_SPARE, "bob@dEst.example", NULL},
    {2, 0, RECORD_CLAIMED, "carl@dest.example", NULL},
};
static const char text[] = "4XyZ0 2026-11-22T19:04:43.123Z respell\n"
                           "4 8 + bob@Dest.example bob@dest.example\n"
                           "4 8 = bob@dEst.example\n"
                           "2 - + carl@dest.example\n";

static void write_example(struct record *record)
{
    record_begin(record, "4XyZ0", wall_ms, "respell", RECORD_NO_FILTER);
    for (size_t n = 0; n < LENGTH(recipients); n++)
        record_add(record, &recipients[n]);
    assert_false(record->failed);
}

static void assert_recipient(const struct record_recipient *is, const struct record_recipient *was)
{
    assert_int_equal(is->priority, was->priority);
    assert_int_equal(is->rule_line, was->rule_line);
    assert_int_equal(is->use, was->use);
    assert_string_equal(is->key, was->key);
    if (was->given == NULL)
        assert_null(is->given);
    else
        assert_string_equal(is->given, was->given);
}

static void a_record_is_written_as_documented(void **state)
{
    struct record record = {0};

    (void)state;
    write_example(&record);
    assert_string_equal(record.text, text);
    assert_int_equal(record.len, strlen(text));
    write_example(&record); /* again, in the same memory */
    assert_string_equal(record.text, text);
    free(record.text);
}

static void a_record_is_read_back(void **state)
{
    struct record_reader reader;
    struct record_recipient recipient;

    (void)state;
    assert_true(record_read(&reader, text, strlen(text)));
    assert_string_equal(reader.queue_id, "4XyZ0");
    assert_int_equal(reader.wall_ms, wall_ms);
    assert_string_equal(reader.way, "respell");
    assert_int_equal(reader.filter_priority, RECORD_NO_FILTER);
    for (size_t n = 0; n < LENGTH(recipients); n++) {
        assert_int_equal(record_next(&reader, &recipient), 1);
        assert_recipient(&recipient, &recipients[n]);
    }
    assert_int_equal(record_next(&reader, &recipient), 0);
    assert_int_equal(record_next(&reader, &recipient), 0);
    record_reader_free(&reader);
}

static void a_directed_message_has_its_priority(void **state)
{
    static const struct record_recipient unclaimed = {253, UINT_MAX, RECORD_UNCLAIMED, "u@1", NULL};
    struct record record = {0};
    struct record_reader reader;
    struct record_recipient recipient;

    (void)state;
    record_begin(&record, "4XyZ0", wall_ms, "filter", 5);
    record_add(&record, &unclaimed);
    assert_string_equal(record.text, "4XyZ0 2026-11-22T19:04:43.123Z filter 5\n"
                                     "253 4294967295 - u@1\n");
    assert_true(record_read(&reader, record.text, record.len));
    assert_string_equal(reader.way, "filter");
    assert_int_equal(reader.filter_priority, 5);
    assert_int_equal(record_next(&reader, &recipient), 1);
    assert_recipient(&recipient, &unclaimed);
    record_reader_free(&reader);
    free(record.text);
}

/* All bytes that a string can have, in three strings. */
static void any_bytes_come_back(void **state)
{
    char all[256] = "";
    struct record_recipient strange = {0, 0, RECORD_CLAIMED, all, all + 128};
    struct record record = {0};
    struct record_reader reader;
    struct record_recipient recipient;

    (void)state;
    for (int n = 0; n < 255; n++)
        all[n] = (char)(n + 1);
    record_begin(&record, all, 0, "way", 0);
    record_add(&record, &strange);
    assert_non_null(strstr(record.text, "%01%02"));
    assert_non_null(strstr(record.text, "%1F%20!\"#$%25&"));
    assert_non_null(strstr(record.text, "~%7F\x80\x81"));
    assert_true(record_read(&reader, record.text, record.len));
    assert_string_equal(reader.queue_id, all);
    assert_int_equal(record_next(&reader, &recipient), 1);
    assert_recipient(&recipient, &strange);
    assert_int_equal(record_next(&reader, &recipient), 0);
    record_reader_free(&reader);
    free(record.text);
}

static void a_record_can_be_long(void **state)
{
    enum { COUNT = 50000 };
    char key[64];
    struct record_recipient recipient = {.priority = 3, .rule_line = 7, .key = key};
    struct record_recipient again;
    struct record record = {0};
    struct record_reader reader;

    (void)state;
    record_begin(&record, "4XyZ0", wall_ms, "claim", RECORD_NO_FILTER);
    for (int n = 0; n < COUNT; n++) {
        snprintf(key, sizeof key, "user%d@dest.example", n);
        record_add(&record, &recipient);
    }
    assert_true(record_read(&reader, record.text, record.len));
    for (int n = 0; n < COUNT; n++) {
        snprintf(key, sizeof key, "user%d@dest.example", n);
        assert_int_equal(record_next(&reader, &again), 1);
        assert_recipient(&again, &recipient);
    }
    assert_int_equal(record_next(&reader, &again), 0);
    record_reader_free(&reader);
    free(record.text);
}

/* Read all of it, from memory that ends with it, and write what was read. NULL: it is refused. */
static char *read_and_write(const char *bytes, size_t len)
{
    char *exact = malloc(len > 0 ? len : 1);
    struct record record = {0};
    struct record_reader reader;
    struct record_recipient recipient;
    int got;

    assert_non_null(exact);
    memcpy(exact, bytes, len);
    if (!record_read(&reader, exact, len)) {
        free(exact);
        return NULL;
    }
    free(exact); /* all strings are copies */
    record_begin(&record, reader.queue_id, reader.wall_ms, reader.way, reader.filter_priority);
    while ((got = record_next(&reader, &recipient)) == 1)
        record_add(&record, &recipient);
    assert_int_equal(record_next(&reader, &recipient), got);
    record_reader_free(&reader);
    if (got == 0)
        return record.text;
    free(record.text);
    return NULL;
}

static void a_record_cut_short_is_none(void **state)
{
    (void)state;
    for (size_t len = 0; len < strlen(text); len++) {
        char *again = read_and_write(text, len);
        struct record_reader reader;

        /* At the end of a line it is a shorter record: the sums around it tell. */
        assert_int_equal(again != NULL, len > 0 && text[len - 1] == '\n');
        assert_int_equal(record_read(&reader, text, len), again != NULL);
        if (again != NULL)
            record_reader_free(&reader);
        free(again);
    }
}

/* What is taken, is taken as it stands: nothing has two meanings, nothing is guessed. */
static void damage_is_refused_or_is_another_record(void **state)
{
    char damaged[sizeof text];
    unsigned refused = 0;

    (void)state;
    for (size_t bit = 0; bit < 8 * strlen(text); bit++) {
        char *again;

        memcpy(damaged, text, sizeof damaged);
        damaged[bit / 8] = (char)((unsigned char)damaged[bit / 8] ^ 1u << bit % 8);
        again = read_and_write(damaged, strlen(text));
        if (again == NULL)
            refused++;
        else
            assert_string_equal(again, damaged);
        free(again);
    }
    assert_in_range(refused, 1, 8 * strlen(text) - 1);
}

static void wrong_first_lines_are_refused(void **state)
{
    static const char *const lines[] = {
        "",
        "\n",
        "4XyZ0\n",
        "4XyZ0 2026-11-22T19:04:43.123Z\n",
        "4XyZ0 2026-11-22T19:04:43.123Z \n",
        "4XyZ0 2026-11-22T19:04:43.123Z claim",
        "4XyZ0 2026-11-22T19:04:43.123Z claim \n",
        "4XyZ0 2026-11-22T19:04:43.123Z  claim\n",
        "4XyZ0  2026-11-22T19:04:43.123Z claim\n",
        "4XyZ0\n2026-11-22T19:04:43.123Z claim\n",
        "4XyZ0 2026-11-22T19:04:43.123Zclaim\n",
        "4XyZ0 2026-11-22T19:04:43.123Z a-very-long-word\n", /* 16 bytes */
        "4XyZ0 2026-11-22T19:04:43.123Z cl%20im\n",
        "4XyZ0 2026-11-22T19:04:43.123Z filter -1\n",
        "4XyZ0 2026-11-22T19:04:43.123Z filter 254\n",
        "4XyZ0 2026-11-22T19:04:43.123Z filter 05\n",
        "4XyZ0 2026-11-22T19:04:43.123Z filter 5 \n",
        "4XyZ0 2026-11-22T19:04:43.123Z filter 18446744073709551617\n",
        "4X\tZ0 2026-11-22T19:04:43.123Z claim\n",
        "4X%yZ0 2026-11-22T19:04:43.123Z claim\n",
        "4X%41Z0 2026-11-22T19:04:43.123Z claim\n", /* A is not escaped */
        "4X%7fZ0 2026-11-22T19:04:43.123Z claim\n",
        "4X%00Z0 2026-11-22T19:04:43.123Z claim\n",
        "4X%2",
        "4X%2\n",
    };
    struct record_reader reader;

    (void)state;
    for (size_t n = 0; n < LENGTH(lines); n++)
        if (record_read(&reader, lines[n], strlen(lines[n])))
            fail_msg("taken: %s", lines[n]);
    assert_false(record_read(&reader, "4X\0Z0 2026-11-22T19:04:43.123Z claim\n", 37));
}

static void wrong_lines_end_a_record(void **state)
{
    static const char *const lines[] = {
        "\n",
        "4 8 +\n",
        "4 8 + \t\n",
        "4 8 * bob@dest.example\n",
        "4 8 +bob@dest.example\n",
        "4  + bob@dest.example\n",
        "4 0 + bob@dest.example\n",
        "4 08 + bob@dest.example\n",
        "4 -8 + bob@dest.example\n",
        "4 4294967296 + bob@dest.example\n",
        "254 8 + bob@dest.example\n",
        "-1 8 + bob@dest.example\n",
        "4 8 + bob@dest.example bob@dest.example more\n",
        "4 8 + bob@dest.example\r\n",
        "4 8 + bob%40dest.example\n",
        " 4 8 + bob@dest.example\n",
    };

    (void)state;
    for (size_t n = 0; n < LENGTH(lines); n++) {
        char record[256];
        struct record_reader reader;
        struct record_recipient recipient;

        snprintf(record, sizeof record, "%s%s2 - + carl@dest.example\n", text, lines[n]);
        assert_true(record_read(&reader, record, strlen(record)));
        for (size_t good = 0; good < LENGTH(recipients); good++)
            assert_int_equal(record_next(&reader, &recipient), 1);
        if (record_next(&reader, &recipient) != -1)
            fail_msg("taken: %s", lines[n]);
        assert_int_equal(record_next(&reader, &recipient), -1);
        record_reader_free(&reader);
    }
}

static void a_claims_value_is_written_and_read(void **state)
{
    struct record record = {0};

    (void)state;
    record_claim_value(&record, "4XyZ0", wall_ms, &recipients[0]);
    assert_string_equal(record.text, "4 4XyZ0 8 2026-11-22T19:04:43.123Z");
    assert_int_equal(record.len, strlen(record.text));
    assert_int_equal(record_claim_priority(record.text, record.len), 4);
    record_claim_value(&record, "a b", wall_ms, &recipients[2]);
    assert_string_equal(record.text, "2 a%20b - 2026-11-22T19:04:43.123Z");
    assert_int_equal(record_claim_priority(record.text, record.len), 2);
    for (size_t len = 0; len < record.len; len++)
        assert_int_equal(record_claim_priority(record.text, len), -1);
    free(record.text);
}

static void what_is_no_claims_value_is_refused(void **state)
{
    static const char *const values[] = {
        "254 4XyZ0 8 2026-11-22T19:04:43.123Z", " 4 4XyZ0 8 2026-11-22T19:04:43.123Z",
        "4 4XyZ0 8 2026-11-22T19:04:43.123Z ",  "4 4XyZ0 8 2026-11-22T19:04:43.123Z\n",
        "4\n4XyZ0 8 2026-11-22T19:04:43.123Z",  "4 4XyZ0\n8 2026-11-22T19:04:43.123Z",
        "4 4XyZ0 x 2026-11-22T19:04:43.123Z",   "4 4XyZ0 8 2026-11-22 19:04:43.123Z",
        "4 4X%41 8 2026-11-22T19:04:43.123Z",   "1 ",
    };

    (void)state;
    for (size_t n = 0; n < LENGTH(values); n++)
        if (record_claim_priority(values[n], strlen(values[n])) != -1)
            fail_msg("taken: %s", values[n]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_written_as_documented),
        cmocka_unit_test(a_record_is_read_back),
        cmocka_unit_test(a_directed_message_has_its_priority),
        cmocka_unit_test(any_bytes_come_back),
        cmocka_unit_test(a_record_can_be_long),
        cmocka_unit_test(a_record_cut_short_is_none),
        cmocka_unit_test(damage_is_refused_or_is_another_record),
        cmocka_unit_test(wrong_first_lines_are_refused),
        cmocka_unit_test(wrong_lines_end_a_record),
        cmocka_unit_test(a_claims_value_is_written_and_read),
        cmocka_unit_test(what_is_no_claims_value_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
