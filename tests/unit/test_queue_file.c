/* test_queue_file - heads of queue files as Postfix writes them, and what is none */
#include "survey/queue_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

struct head {
    char bytes[16 * QUEUE_FILE_PIECE_SIZE];
    size_t len;
};

/* As rec_put() does: seven bits of the length in each byte, the low ones first. */
static void put(struct head *head, char type, const char *content, size_t len)
{
    size_t rest = len;

    head->bytes[head->len++] = type;
    do {
        head->bytes[head->len++] = (char)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
        rest >>= 7;
    } while (rest != 0);
    memcpy(head->bytes + head->len, content, len);
    head->len += len;
}

/* The records of a table: a type and its content each, until NULL. */
static void make(const char *const *records, struct head *head_r)
{
    head_r->len = 0;
    for (; *records != NULL; records++)
        put(head_r, (*records)[0], *records + 1, strlen(*records) - 1);
}

#define SIZE_OF_3                                                                                 \
    "C           4711             685               3               0            4711           " \
    "    0"
enum { SIZE_RECORD_LEN = 2 + 95, TIME_RECORD_LEN = 2 + 17 };

#define PRELIMINARY                                                                               \
    "C              0               0               0               0               0           " \
    "    0"
#define TIME "T1795660897 276399"
#define TIME_MS INT64_C(1795660897276)
#define NO_POINTER "p              0"

static const struct {
    const char *what;
    const char *records[12];
    bool is_message, has_size;
    uint64_t octets, recipients;
    int64_t arrival_ms;
} cases[] = {
    {"from smtpd",
     {SIZE_OF_3, TIME, "Acreate_time=1795660897", "Salice@source.example",
      "Adsn_orig_rcpt=rfc822;b", "Ob@dest.example", "Rb@dest.example", "Rc@dest.example",
      "Dd@dest.example", NO_POINTER, "M"},
     true,
     true,
     4711,
     3,
     TIME_MS},
    {"from pickup of an old postdrop: no microseconds",
     {SIZE_OF_3, "T1795660897", "Salice@source.example", "M"},
     true,
     true,
     4711,
     3,
     INT64_C(1795660897000)},
    {"being written",
     {PRELIMINARY, TIME, "Salice@source.example", "Rb@dest.example"},
     false,
     false,
     0,
     0,
     0},
    {"recipients that a milter took away, others that it added",
     {SIZE_OF_3, TIME, "Salice@source.example", "/b@dest.example", "/c@dest.example",
      "Rd@dest.example", "p           1234", "/not@reached.example"},
     true,
     true,
     4711,
     1,
     TIME_MS},
    {"more taken away than there were",
     {"C 1 2 1", TIME, "S", "/a@b.example", "/c@d.example"},
     true,
     true,
     1,
     1,
     TIME_MS},
    {"a sender that a milter changed",
     {SIZE_OF_3, TIME, "p           1234", "\n\n\n"},
     true,
     true,
     4711,
     3,
     TIME_MS},
    {"two times: the first", {SIZE_OF_3, TIME, "T17 0", "S"}, true, true, 4711, 3, TIME_MS},
    {"a time of zero, and another", {SIZE_OF_3, "T0 0", TIME, "S"}, true, true, 4711, 3, TIME_MS},
    {"a time behind the sender is none", {SIZE_OF_3, "S", TIME}, true, true, 4711, 3, 0},
    {"a time before 1970 is none", {SIZE_OF_3, "T-17 0", "S"}, true, true, 4711, 3, 0},
    {"microseconds that are none", {SIZE_OF_3, "T17 1000000", "S"}, true, true, 4711, 3, 17000},
    {"no seconds but microseconds, and another",
     {SIZE_OF_3, "T0 276399", TIME, "S"},
     true,
     true,
     4711,
     3,
     TIME_MS},
    {"two sizes: the first", {SIZE_OF_3, "C 1 2 3", TIME, "S"}, true, true, 4711, 3, TIME_MS},
    {"a size that is none, and another",
     {"C-1 2 3", "C 1 2 3", TIME, "S"},
     true,
     true,
     1,
     3,
     TIME_MS},
    {"no size", {TIME, "S", "M"}, true, false, 0, 0, TIME_MS},
    {"a size that is none", {"C     4711x", TIME, "S", "M"}, true, false, 0, 0, TIME_MS},
    {"no sender yet, but the size of a whole message",
     {SIZE_OF_3, TIME},
     true,
     true,
     4711,
     3,
     TIME_MS},
    {"numbers of any length",
     {"C 99999999999999999999999 99999999999999999999999 99999999999999999999999",
      "T99999999999999999999999 99999999999999999999999", "S"},
     true,
     true,
     (uint64_t)(INT64_MAX / 1000),
     (uint64_t)(INT64_MAX / 1000),
     INT64_C(253402300799000)},
    {"an empty file", {NULL}, false, false, 0, 0, 0},
    {"no queue file", {"#!/bin/sh\n", "echo"}, false, false, 0, 0, 0},
};

static void a_head_says_what_the_message_is(void **state)
{
    (void)state;
    for (size_t n = 0; n < LENGTH(cases); n++) {
        struct queue_file file = {.octets = 17};
        struct head head;

        make(cases[n].records, &head);
        if (queue_file_parse(head.bytes, head.len, &file) != cases[n].is_message)
            fail_msg("%s: is %s", cases[n].what, cases[n].is_message ? "refused" : "taken");
        if (!cases[n].is_message) {
            assert_int_equal(file.octets, 17);
            continue;
        }
        if (file.has_size != cases[n].has_size || file.octets != cases[n].octets ||
            file.recipients != cases[n].recipients || file.arrival_ms != cases[n].arrival_ms)
            fail_msg("%s: %d %llu octets, %llu recipients, at %lld", cases[n].what, file.has_size,
                     (unsigned long long)file.octets, (unsigned long long)file.recipients,
                     (long long)file.arrival_ms);
    }
}

static void a_head_that_is_cut_off_is_read_as_far_as_it_goes(void **state)
{
    struct queue_file file;
    struct head head;

    (void)state;
    make(cases[0].records, &head);
    for (size_t len = 0; len <= head.len; len++) {
        char *bytes = malloc(len + 1); /* so that sanitizers see what reads beyond */

        memcpy(bytes, head.bytes, len);
        if (queue_file_parse(bytes, len, &file) != (len >= SIZE_RECORD_LEN))
            fail_msg("%zu bytes", len);
        if (len >= SIZE_RECORD_LEN) /* the size record */
            assert_int_equal(file.octets, 4711);
        assert_true(len < SIZE_RECORD_LEN ||
                    file.arrival_ms == (len < SIZE_RECORD_LEN + TIME_RECORD_LEN ? 0 : TIME_MS));
        free(bytes);
    }
}

/* As cleanup(8) leaves it: the pointers have the offsets of records behind the message. */
static void what_a_milter_changed_is_looked_up(void **state)
{
    static const size_t gaps[] = {0, 3000, 10000};
    static char text[10000];
    struct queue_file file;

    (void)state;
    for (size_t n = 0; n < LENGTH(gaps); n++) {
        struct head head = {.len = 0}, behind = {.len = 0};
        char pointer[16];
        size_t pointer_at, back;

        put(&head, 'C', "5 685 4", 7);
        put(&head, 'T', "17 0", 4);
        put(&head, 'S', "", 0);
        put(&head, '/', "a@b.example", 11);
        put(&head, 'R', "b@b.example", 11);
        pointer_at = head.len;
        put(&head, 'p', "              0", 15);
        back = head.len;
        put(&head, 'M', "", 0);
        put(&head, 'N', text, gaps[n]);
        put(&head, '/', "not@in.the.envelope", 19);
        snprintf(pointer, sizeof pointer, "%15zu", head.len);
        memcpy(head.bytes + pointer_at + 2, pointer, 15);
        put(&head, '/', "c@b.example", 11);
        put(&head, 'R', "d@b.example", 11);
        snprintf(pointer, sizeof pointer, "%15zu", back);
        put(&head, 'p', pointer, 15);
        assert_true(queue_file_parse(head.bytes, head.len, &file));
        assert_int_equal(file.recipients, 2);
        assert_int_equal(file.octets, 5);
        put(&behind, 'C', "5 685 4", 7); /* pointers in a circle */
        put(&behind, 'S', "", 0);
        put(&behind, '/', "a@b.example", 11);
        put(&behind, 'p', "             11", 15);
        assert_true(queue_file_parse(behind.bytes, behind.len, &file));
        assert_int_equal(file.recipients, 4);
    }
}

static void an_envelope_of_several_pieces_is_read(void **state)
{
    struct queue_file file;
    struct head head = {.len = 0};

    (void)state;
    put(&head, 'C', "5 685 300", 9);
    put(&head, 'T', "17 0", 4);
    put(&head, 'S', "", 0);
    for (int n = 0; n < 300; n++)
        put(&head, n % 3 == 0 ? '/' : 'R', "somebody.with.a.long.name@some.domain.example", 45);
    put(&head, 'M', "", 0);
    assert_true(queue_file_parse(head.bytes, head.len, &file));
    assert_int_equal(file.recipients, 200);
    assert_int_equal(file.arrival_ms, 17000);
}

static void long_records_are_passed_over_and_lengths_that_are_none_end_it(void **state)
{
    static const char lengths[][8] = {"\x80\x80\x80\x80\x80\x01", "\xff\xff\xff\xff\x7f",
                                      "\xff\xff\xff\x07", "\x80"};
    static char text[3000];
    struct queue_file file;
    struct head head = {.len = 0};

    (void)state;
    memset(text, 'x', sizeof text);
    put(&head, 'C', "1 2 3", 5);
    put(&head, 'A', text, sizeof text);
    put(&head, 'T', "17 0", 4);
    assert_true(queue_file_parse(head.bytes, head.len, &file));
    assert_int_equal(file.arrival_ms, 17000);
    for (size_t n = 0; n < LENGTH(lengths); n++) {
        head.len = 0;
        put(&head, 'C', "1 2 3", 5);
        head.bytes[head.len++] = 'A';
        memcpy(head.bytes + head.len, lengths[n], strlen(lengths[n]));
        head.len += strlen(lengths[n]);
        put(&head, 'T', "17 0", 4);
        assert_true(queue_file_parse(head.bytes, head.len, &file));
        assert_int_equal(file.arrival_ms, 0);
    }
}

static void write_file(const char *path, const char *const *records)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0700);
    struct head head;

    make(records, &head);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, head.bytes, head.len), head.len);
    close(fd);
}

/* Postfix src/showq/showq.c: what the file does not tell, its size and time do. */
static void a_file_is_read_as_showq_does(void **state)
{
    static const char *const whole[] = {SIZE_OF_3, TIME, "S", "M", NULL};
    static const char *const bare[] = {"Salice@source.example", "Rb@dest.example", "M", NULL};
    static const char *const unfinished[] = {PRELIMINARY, TIME, "S", NULL};
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1000000000, .tv_nsec = 5000000}};
    char folder[] = "/tmp/test_queue_file.XXXXXX", path[64];
    struct queue_file file = {0};
    int dir_fd;

    (void)state;
    assert_non_null(mkdtemp(folder));
    dir_fd = open(folder, O_RDONLY | O_DIRECTORY);
    snprintf(path, sizeof path, "%s/4XyZ0", folder);
    assert_int_equal(queue_file_read(dir_fd, "4XyZ0", &file), 0); /* gone */
    write_file(path, whole);
    assert_int_equal(queue_file_read(dir_fd, "4XyZ0", &file), 1);
    assert_int_equal(file.octets, 4711);
    assert_int_equal(file.arrival_ms, TIME_MS);
    write_file(path, bare);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(queue_file_read(dir_fd, "4XyZ0", &file), 1);
    assert_int_equal(file.octets, 2 + 20 + 2 + 15 + 2 - 1);
    assert_int_equal(file.arrival_ms, INT64_C(1000000000000));
    write_file(path, unfinished);
    assert_int_equal(queue_file_read(dir_fd, "4XyZ0", &file), 0);
    unlink(path);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(queue_file_read(dir_fd, "4XyZ0", &file), -1);
    assert_int_equal(errno, ELOOP);
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(queue_file_read(dir_fd, "4XyZ0", &file), -1);
    assert_int_equal(errno, EISDIR);
    rmdir(path);
    close(dir_fd);
    rmdir(folder);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_says_what_the_message_is),
        cmocka_unit_test(a_head_that_is_cut_off_is_read_as_far_as_it_goes),
        cmocka_unit_test(what_a_milter_changed_is_looked_up),
        cmocka_unit_test(an_envelope_of_several_pieces_is_read),
        cmocka_unit_test(long_records_are_passed_over_and_lengths_that_are_none_end_it),
        cmocka_unit_test(a_file_is_read_as_showq_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
