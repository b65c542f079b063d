/* test_snapshot_damage - of what is not whole, only what is right is read */
#include "store/snapshot.h"

#include <cdb.h>

#include "tests/unit/snapshot_fixture.h"

/* Where the entry lies in the file. */
static bool is_within(const struct snapshot_entry *entry, const unsigned char *bytes, size_t at)
{
    size_t start = (size_t)((const unsigned char *)entry->key - bytes) - 8;

    return at >= start && at < start + 8 + entry->key_len + entry->value_len + TAIL_LEN;
}

static bool is_same(const struct snapshot_entry *left, const struct snapshot_entry *right)
{
    return left->kind == right->kind && left->key_len == right->key_len &&
           left->value_len == right->value_len &&
           memcmp(left->key, right->key, left->key_len) == 0 &&
           memcmp(left->value, right->value, left->value_len) == 0;
}

/* Read all that can be read; returns the number. */
static size_t read_entries(struct snapshot_reader *reader, const struct folder_file *file,
                           struct snapshot_entry *entries_r, size_t max)
{
    size_t count = 0;

    if (!snapshot_read(reader, file))
        return 0;
    while (snapshot_next(reader, &entries_r[count]))
        assert_true(++count < max);
    return count;
}

static void a_flipped_bit_costs_one_entry_at_most(void **state)
{
    struct snapshot_entry good[8], seen[8];
    struct snapshot_reader reader;
    struct folder_file file;
    unsigned char *bytes, *copy;
    size_t count, len;

    (void)state;
    put_snapshot();
    bytes = get_file(FOLDER_SNAPSHOT, &len);
    copy = get_file(FOLDER_SNAPSHOT, &len);
    file = (struct folder_file){bytes, len};
    count = read_entries(&reader, &file, good, LENGTH(good));
    assert_int_equal(count, 3);
    file.bytes = copy;
    for (size_t bit = 0; bit < 8 * len; bit++) {
        size_t left = 0, seen_count, hits = 0;

        copy[bit / 8] ^= (unsigned char)(1 << bit % 8);
        seen_count = read_entries(&reader, &file, seen, LENGTH(seen));
        assert_false(reader.is_whole);
        for (size_t n = 0; n < count; n++) {
            if (is_within(&good[n], bytes, bit / 8))
                hits++;
            else
                assert_true(left < seen_count && is_same(&good[n], &seen[left++]));
        }
        assert_int_equal(seen_count, left);
        /* A wrong end of entries may count as a damaged part. */
        assert_true(reader.damaged == hits || (bit < 32 && reader.damaged == 1));
        copy[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    free(bytes);
    free(copy);
}

static void any_bytes_can_be_read(void **state)
{
    enum { ROUNDS = 3000 };
    struct snapshot_entry good[8], seen[8];
    struct snapshot_reader reader;
    struct folder_file file;
    unsigned char *bytes, *copy;
    size_t count, len;

    (void)state;
    put_snapshot();
    bytes = get_file(FOLDER_SNAPSHOT, &len);
    file = (struct folder_file){bytes, len};
    count = read_entries(&reader, &file, good, LENGTH(good));
    srandom(4);
    for (int round = 0; round < ROUNDS; round++) {
        size_t cut = round < 1000 ? len - (size_t)round : len, seen_count, known = 0;

        copy = malloc(cut); /* of just that size, for sanitizers to watch */
        assert_non_null(copy);
        memcpy(copy, bytes, cut);
        for (int n = round % 4; n > 0; n--) {
            size_t at = (size_t)random() % cut, run = (size_t)random() % 64;

            for (; run > 0 && at < cut; run--, at++)
                copy[at] = (unsigned char)(round % 3 == 0 ? 0 : random());
        }
        file = (struct folder_file){copy, cut};
        seen_count = read_entries(&reader, &file, seen, LENGTH(seen));
        for (size_t n = 0; n < count; n++)
            known += known < seen_count && is_same(&good[n], &seen[known]);
        assert_int_equal(known, seen_count);
        free(copy);
    }
    free(bytes);
}

/* Write the sum that is right for these bytes, whatever they are. */
static void seal(unsigned char *bytes, size_t len)
{
    enum { AT = 2048 + 14 };
    char both[2 * SUM_TEXT_LEN + 1], digits[SUM_TEXT_LEN + 1];

    sum_print(sum_of(bytes, AT), both);
    sum_print(sum_of(bytes + AT + SUM_TEXT_LEN, len - AT - SUM_TEXT_LEN), both + SUM_TEXT_LEN);
    sum_print(sum_of(both, 2 * SUM_TEXT_LEN), digits);
    memcpy(bytes + AT, digits, SUM_TEXT_LEN);
}

/* Lengths and positions are not relied on because the sum is right: that proves no author. */
static void a_right_sum_makes_no_sense_of_nonsense(void **state)
{
    static const uint32_t numbers[] = {0,    1,    16,   17,         2047,
                                       2048, 2078, 5000, 0x7fffffff, 0xffffffff};
    struct snapshot_entry seen[64];
    struct snapshot_reader reader;
    unsigned char *bytes, *copy;
    size_t len;

    (void)state;
    put_snapshot();
    bytes = get_file(FOLDER_SNAPSHOT, &len);
    copy = malloc(len);
    assert_non_null(copy);
    for (size_t at = 0; at + 4 <= len; at += at < 2000 ? 8 : 1) {
        for (size_t n = 0; n < LENGTH(numbers); n++) {
            const struct folder_file file = {copy, len};
            size_t count;

            memcpy(copy, bytes, len);
            cdb_pack(numbers[n], copy + at);
            seal(copy, len);
            count = read_entries(&reader, &file, seen, LENGTH(seen));
            for (size_t m = 0; m < count; m++)
                assert_in_range(seen[m].value + seen[m].value_len - (char *)copy, 2048, len);
        }
    }
    free(copy);
    free(bytes);
}

/* From the first nonsense on, each entry must prove itself by its own sum. */
static void after_nonsense_only_entries_sums_are_believed(void **state)
{
    enum { FIRST_VALUE_LEN_AT = 2048 + 30 + 4 };
    struct snapshot_entry good[8], seen[8];
    struct snapshot_reader reader;
    struct folder_file file;
    unsigned char *bytes;
    size_t len;

    (void)state;
    put_snapshot();
    bytes = get_file(FOLDER_SNAPSHOT, &len);
    file = (struct folder_file){bytes, len};
    assert_int_equal(read_entries(&reader, &file, good, LENGTH(good)), 3);
    bytes[2048 + 30 + 8 + 15] = '\n'; /* ends the first key, as a message ends */
    cdb_pack(0, bytes + FIRST_VALUE_LEN_AT);
    bytes[good[2].value - (char *)bytes] ^= 4;
    seal(bytes, len);
    assert_int_equal(read_entries(&reader, &file, seen, LENGTH(seen)), 1);
    assert_true(is_same(&seen[0], &good[1]));
    assert_false(reader.is_whole);
    assert_int_equal(reader.damaged, 2);
    free(bytes);
}

static void another_version_is_not_believed(void **state)
{
    struct snapshot_entry seen[8];
    struct snapshot_reader reader;
    struct folder_file file;
    unsigned char *bytes;
    size_t len;

    (void)state;
    put_snapshot();
    bytes = get_file(FOLDER_SNAPSHOT, &len);
    file = (struct folder_file){bytes, len};
    seal(bytes, len);
    read_entries(&reader, &file, seen, LENGTH(seen));
    assert_true(reader.is_whole);
    bytes[2048 + 12] = '2';
    seal(bytes, len);
    read_entries(&reader, &file, seen, LENGTH(seen));
    assert_false(reader.is_whole);
    free(bytes);
}

static void what_is_no_snapshot_has_no_entries(void **state)
{
    unsigned char bytes[3000] = {0};
    struct snapshot_reader reader;
    struct snapshot_entry entry;
    struct folder_file empty = {NULL, 0}, small = {bytes, 2048}, zeros = {bytes, sizeof bytes};

    (void)state;
    assert_false(snapshot_read(&reader, &empty));
    assert_false(snapshot_next(&reader, &entry));
    assert_false(snapshot_read(&reader, &small));
    assert_true(snapshot_read(&reader, &zeros));
    assert_false(reader.is_whole);
    assert_false(snapshot_next(&reader, &entry));
    assert_int_equal(reader.damaged, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(a_flipped_bit_costs_one_entry_at_most),
        WITH_FOLDER(any_bytes_can_be_read),
        WITH_FOLDER(a_right_sum_makes_no_sense_of_nonsense),
        WITH_FOLDER(after_nonsense_only_entries_sums_are_believed),
        WITH_FOLDER(another_version_is_not_believed),
        WITH_FOLDER(what_is_no_snapshot_has_no_entries),
    };

    return cmocka_run_group_tests_name("snapshot_damage", tests, NULL, NULL);
}
