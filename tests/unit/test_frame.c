/* test_frame - whole frames are found, whatever stands around them */
#include "store/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { FILE_MAX = 4096, FRAMES = 4 };

/* The payloads of a small file. One has what looks like frames. */
static const char *const payloads[FRAMES] = {
    "4XyZ0 first\n4 8 + bob@dest.example\n",
    "4XyZ1 PEGJPEGJPEGJPEGJPEGJPEGJPEGJ\n",
    "4XyZ2 PEGJ\n",
    "4XyZ3 the last\n2 - + carl@dest.example\n",
};

struct file {
    unsigned char bytes[FILE_MAX];
    size_t len;
    size_t start[FRAMES + 1]; /* where each frame begins; the end */
};

static void append(struct file *file, const char *payload)
{
    unsigned char *frame = file->bytes + file->len;

    memcpy(frame + FRAME_HEADER_SIZE, payload, strlen(payload));
    frame_seal(frame, strlen(payload));
    file->len += FRAME_HEADER_SIZE + strlen(payload);
}

static struct file make_file(void)
{
    struct file file = {.len = 0};

    for (size_t n = 0; n < FRAMES; n++) {
        file.start[n] = file.len;
        append(&file, payloads[n]);
    }
    file.start[FRAMES] = file.len;
    return file;
}

struct result {
    unsigned found; /* bit n: payload n */
    size_t damaged;
    bool torn;
};

/* Read from memory that ends with the bytes. Frames come in order, and are those that were written.
 */
static struct result read_bytes(const unsigned char *bytes, size_t len)
{
    unsigned char *exact = malloc(len > 0 ? len : 1);
    struct frame_reader reader = {.bytes = exact, .len = len};
    struct result result = {0};
    const unsigned char *payload;
    size_t payload_len, n = 0;

    assert_non_null(exact);
    memcpy(exact, bytes, len);
    while (frame_next(&reader, &payload, &payload_len)) {
        while (n < FRAMES && (strlen(payloads[n]) != payload_len ||
                              memcmp(payloads[n], payload, payload_len) != 0))
            n++;
        assert_true(n < FRAMES);
        result.found |= 1u << n++;
    }
    assert_false(frame_next(&reader, &payload, &payload_len)); /* and so it stays */
    free(exact);
    result.damaged = reader.damaged;
    result.torn = reader.torn;
    return result;
}

static void assert_result(struct result is, unsigned found, size_t damaged, bool torn)
{
    assert_int_equal(is.found, found);
    assert_int_equal(is.damaged, damaged);
    assert_int_equal(is.torn, torn);
}

/* The frames before number n. */
static unsigned before(size_t n)
{
    return (1u << n) - 1;
}

static const unsigned all = (1u << FRAMES) - 1;

static void frames_are_read_in_order(void **state)
{
    struct file file = make_file();

    (void)state;
    assert_result(read_bytes(file.bytes, file.len), all, 0, false);
    assert_result(read_bytes(file.bytes, 0), 0, 0, false);
}

static void a_header_is_what_its_description_says(void **state)
{
    struct file file = {.len = 0};

    (void)state;
    append(&file, "x");
    assert_memory_equal(file.bytes, "PEGJ", 4);
    assert_memory_equal(file.bytes + 12, "\1\0\0\0x", 5);
    /* SipHash-2-4 of these last five, by another program. */
    assert_memory_equal(file.bytes + 4, "\x37\xa7\xc7\x59\x41\xf2\x28\xf3", 8);
}

static void a_file_may_be_cut_anywhere(void **state)
{
    struct file file = make_file();
    size_t whole = 0;

    (void)state;
    for (size_t len = 0; len <= file.len; len++) {
        while (whole < FRAMES && file.start[whole + 1] <= len)
            whole++;
        assert_result(read_bytes(file.bytes, len), before(whole), 0, len != file.start[whole]);
    }
}

static void a_file_may_be_cut_anywhere_and_end_in_zeros(void **state)
{
    struct file file = make_file();
    size_t whole = 0;

    (void)state;
    for (size_t len = 0; len <= file.len; len++) {
        struct file cut = file;

        while (whole < FRAMES && file.start[whole + 1] <= len)
            whole++;
        memset(cut.bytes + len, 0, FILE_MAX - len);
        assert_result(read_bytes(cut.bytes, FILE_MAX), before(whole), 0, true);
        assert_result(read_bytes(cut.bytes, len + 1), before(whole), 0, true);
    }
}

static bool is_in_length(size_t at)
{
    return at >= 12 && at < FRAME_HEADER_SIZE;
}

static void any_bit_may_be_wrong(void **state)
{
    struct file file = make_file();
    unsigned torn = 0;

    (void)state;
    for (size_t n = 0; n < FRAMES; n++) {
        size_t size = file.start[n + 1] - file.start[n];

        for (size_t bit = 0; bit < 8 * size; bit++) {
            struct file wrong = file;
            struct result is;

            wrong.bytes[file.start[n] + bit / 8] ^= (unsigned char)(1u << bit % 8);
            is = read_bytes(wrong.bytes, wrong.len);
            /* Only of the last one may be thought that more was to come. */
            if (is.torn)
                assert_true(n == FRAMES - 1 && is_in_length(bit / 8));
            torn += is.torn;
            assert_result(is, all & ~(1u << n), is.torn ? 0 : size, is.torn);
        }
    }
    assert_in_range(torn, 1, 26); /* lengths up to 64 MB have 26 bits */
}

static void damage_before_a_torn_end_is_told_apart(void **state)
{
    struct file file = make_file();

    (void)state;
    file.bytes[file.start[2] + FRAME_HEADER_SIZE] ^= 1;
    for (size_t len = file.start[3] + 4; len < file.len; len++)
        assert_result(read_bytes(file.bytes, len), before(2), file.start[3] - file.start[2], true);
}

static void several_damaged_frames_at_the_end_are_no_torn_one(void **state)
{
    struct file file = make_file();

    (void)state;
    for (size_t n = 1; n < FRAMES; n++)
        file.bytes[file.start[n] + FRAME_HEADER_SIZE] ^= 1;
    assert_result(read_bytes(file.bytes, file.len), before(1), file.len - file.start[1], false);
    memset(file.bytes + file.len, 0, 100);
    assert_result(read_bytes(file.bytes, file.len + 100), before(1), file.len - file.start[1],
                  true);
}

static void lengths_out_of_bounds_are_damage(void **state)
{
    static const unsigned char lengths[][4] = {
        {0xff, 0xff, 0xff, 0xff}, {0xff, 0xff, 0xff, 0x7f}, {1, 0, 0, 4} /* 64 MB and 1 */};

    (void)state;
    for (size_t n = 0; n < LENGTH(lengths); n++) {
        struct file file = make_file();

        memcpy(file.bytes + file.start[3] + 12, lengths[n], 4);
        assert_result(read_bytes(file.bytes, file.len), before(3), file.len - file.start[3], false);
        file = make_file();
        memcpy(file.bytes + file.start[1] + 12, lengths[n], 4);
        assert_result(read_bytes(file.bytes, file.len), all & ~2u, file.start[2] - file.start[1],
                      false);
    }
}

static void garbage_anywhere_is_counted_and_skipped(void **state)
{
    static const char garbage[] = "this PEGJ is PEG\0 no frame";

    (void)state;
    for (size_t n = 0; n <= FRAMES; n++) {
        struct file file = {.len = 0};

        for (size_t frame = 0; frame <= FRAMES; frame++) {
            if (frame == n) {
                memcpy(file.bytes + file.len, garbage, sizeof garbage);
                file.len += sizeof garbage;
            }
            if (frame < FRAMES)
                append(&file, payloads[frame]);
        }
        assert_result(read_bytes(file.bytes, file.len), all, sizeof garbage, false);
    }
}

static void a_little_garbage_at_the_end_is_not_torn(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 20; len++) {
        struct file file = make_file();

        memset(file.bytes + file.len, 'x', len);
        assert_result(read_bytes(file.bytes, file.len + len), all, len, false);
    }
}

static void zeros_between_frames_are_damage(void **state)
{
    struct file file = make_file();

    (void)state;
    memset(file.bytes + file.start[1], 0, file.start[2] - file.start[1]);
    assert_result(read_bytes(file.bytes, file.len), all & ~2u, file.start[2] - file.start[1],
                  false);
}

/* With the time squared this would not end. */
static void a_payload_full_of_magic_takes_no_longer(void **state)
{
    enum { LEN = 1024 * 1024 };
    unsigned char *bytes = malloc(FRAME_HEADER_SIZE + LEN);
    struct frame_reader reader = {.bytes = bytes, .len = FRAME_HEADER_SIZE + LEN};
    const unsigned char *payload;
    size_t payload_len;

    (void)state;
    assert_non_null(bytes);
    for (size_t n = 0; n < LEN; n += 4)
        memcpy(bytes + FRAME_HEADER_SIZE + n, "PEGJ", 4);
    frame_seal(bytes, LEN);
    assert_true(frame_next(&reader, &payload, &payload_len));
    assert_int_equal(payload_len, LEN);
    assert_false(frame_next(&reader, &payload, &payload_len));
    bytes[LEN / 2] ^= 1;
    reader = (struct frame_reader){.bytes = bytes, .len = FRAME_HEADER_SIZE + LEN};
    assert_false(frame_next(&reader, &payload, &payload_len));
    assert_int_equal(reader.damaged, FRAME_HEADER_SIZE + LEN);
    assert_false(reader.torn);
    free(bytes);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_read_in_order),
        cmocka_unit_test(a_header_is_what_its_description_says),
        cmocka_unit_test(a_file_may_be_cut_anywhere),
        cmocka_unit_test(a_file_may_be_cut_anywhere_and_end_in_zeros),
        cmocka_unit_test(any_bit_may_be_wrong),
        cmocka_unit_test(damage_before_a_torn_end_is_told_apart),
        cmocka_unit_test(several_damaged_frames_at_the_end_are_no_torn_one),
        cmocka_unit_test(lengths_out_of_bounds_are_damage),
        cmocka_unit_test(garbage_anywhere_is_counted_and_skipped),
        cmocka_unit_test(a_little_garbage_at_the_end_is_not_torn),
        cmocka_unit_test(zeros_between_frames_are_damage),
        cmocka_unit_test(a_payload_full_of_magic_takes_no_longer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
