/* test_ask_client - one who asks: what is a request, and who is given up when */
#include "monitor/ask_client.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"

enum { START_MS = 1000000, LATE = ASK_READ_LIMIT_MS };

struct pair {
    struct ask_client client;
    int peer;
};

static struct pair connect_one(void)
{
    struct pair pair;
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    ask_client_open(&pair.client, fds[0], START_MS);
    pair.peer = fds[1];
    return pair;
}

static void finish(struct pair *pair)
{
    ask_client_close(&pair->client);
    if (pair->peer >= 0)
        close(pair->peer);
}

/* Have the client go on as its server does, with what poll() finds now. */
static void go_on(struct pair *pair, int64_t now_ms)
{
    struct pollfd polled = {.fd = pair->client.fd, .events = ask_client_events(&pair->client)};

    if (poll(&polled, 1, 0) > 0)
        ask_client_go_on(&pair->client, polled.revents, now_ms);
    ask_client_check_time(&pair->client, now_ms);
}

static void say(struct pair *pair, const char *bytes, size_t len)
{
    assert_int_equal(send(pair->peer, bytes, len, MSG_NOSIGNAL), len);
    go_on(pair, START_MS);
}

static void expect_answer(struct pair *pair, const char *expected)
{
    char text[256] = "";

    assert_int_equal(recv(pair->peer, text, sizeof text - 1, MSG_DONTWAIT), strlen(expected));
    assert_string_equal(text, expected);
}

static void a_request_is_one_word_in_one_line(void **state)
{
    static const struct {
        const char *line;
        enum survey_detail detail;
    } cases[] = {{"counts\n", SURVEY_COUNTS},
                 {"details\n", SURVEY_DETAILS},
                 {"counts\ndetails\n", SURVEY_COUNTS}};

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct pair pair = connect_one();

        assert_int_equal(ask_client_events(&pair.client), POLLIN);
        say(&pair, cases[i].line, strlen(cases[i].line));
        assert_int_equal(pair.client.state, ASK_WAITS);
        assert_int_equal(pair.client.detail, cases[i].detail);
        ask_client_answer(&pair.client, strdup("all"), START_MS);
        assert_int_equal(pair.client.state, ASK_GONE);
        expect_answer(&pair, "all");
        finish(&pair);
    }
}

static void it_may_come_byte_by_byte(void **state)
{
    static const char line[] = "details\n";
    struct pair pair = connect_one();

    (void)state;
    for (size_t i = 0; i < strlen(line); i++) {
        assert_int_equal(pair.client.state, ASK_READS);
        say(&pair, line + i, 1);
    }
    assert_int_equal(pair.client.state, ASK_WAITS);
    finish(&pair);
}

static void anything_else_is_told_so(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        {"\n", 1},
        {"count\n", 6},
        {"counts \n", 8},
        {"COUNTS\n", 7},
        {"counts\r\n", 8},
        {"counts\0x\n", 9},
        {"counts\0\n", 8},
        {"\xff\xfe\n", 3},
        {"GET / HTTP/1.1\r\n\r\n", 18},
        {"countscountscountscountscountscounts", ASK_REQUEST_SIZE},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct pair pair = connect_one();

        say(&pair, cases[i].bytes, cases[i].len);
        assert_int_equal(pair.client.state, ASK_GONE);
        expect_answer(&pair, "{\"error\": \"ask for counts or details, in one line\"}");
        finish(&pair);
    }
}

static void a_line_without_an_end_is_wrong_when_no_more_comes(void **state)
{
    struct pair pair = connect_one();

    (void)state;
    say(&pair, "counts", 6);
    assert_int_equal(pair.client.state, ASK_READS);
    assert_int_equal(shutdown(pair.peer, SHUT_WR), 0);
    go_on(&pair, START_MS);
    assert_int_equal(pair.client.state, ASK_GONE);
    expect_answer(&pair, "{\"error\": \"ask for counts or details, in one line\"}");
    finish(&pair);
}

static void who_says_nothing_is_given_up(void **state)
{
    struct pair pair = connect_one();

    (void)state;
    go_on(&pair, START_MS + LATE - 1);
    assert_int_equal(pair.client.state, ASK_READS);
    say(&pair, "c", 1);
    go_on(&pair, START_MS + LATE); /* a byte now and then gives no more time */
    assert_int_equal(pair.client.state, ASK_GONE);
    finish(&pair);
}

static void who_waits_may_have_closed_one_direction_and_waits_for_any_time(void **state)
{
    struct pair pair = connect_one();

    (void)state;
    say(&pair, "counts\n", 7);
    assert_int_equal(shutdown(pair.peer, SHUT_WR), 0);
    go_on(&pair, START_MS + 1000L * LATE);
    assert_int_equal(pair.client.state, ASK_WAITS);
    ask_client_answer(&pair.client, strdup("all"), START_MS + 1000L * LATE);
    expect_answer(&pair, "all");
    finish(&pair);
}

static void who_has_gone_is_given_up(void **state)
{
    struct pair pair = connect_one();

    (void)state;
    say(&pair, "counts\n", 7);
    close(pair.peer);
    pair.peer = -1;
    go_on(&pair, START_MS);
    assert_int_equal(pair.client.state, ASK_GONE);
    ask_client_answer(&pair.client, strdup("all"), START_MS); /* and does no harm */
    finish(&pair);
}

static void a_long_answer_goes_as_it_is_read_and_who_reads_none_is_given_up(void **state)
{
    enum { LONG = 4 << 20 };
    struct pair pair = connect_one();
    char *answer = malloc(LONG + 1), *got = malloc(LONG);
    size_t len = 0;

    (void)state;
    for (size_t i = 0; i < LONG; i++)
        answer[i] = (char)('a' + i % 23);
    answer[LONG] = '\0';
    say(&pair, "counts\n", 7);
    ask_client_answer(&pair.client, strdup(answer), START_MS);
    assert_int_equal(pair.client.state, ASK_WRITES);
    assert_int_equal(ask_client_events(&pair.client), POLLOUT);
    go_on(&pair, START_MS + ASK_WRITE_LIMIT_MS - 1);
    assert_int_equal(pair.client.state, ASK_WRITES);
    while (pair.client.state == ASK_WRITES) {
        ssize_t more = recv(pair.peer, got + len, LONG - len, MSG_DONTWAIT);

        assert_true(more > 0);
        len += (size_t)more;
        go_on(&pair, START_MS);
    }
    len += (size_t)recv(pair.peer, got + len, LONG - len, MSG_WAITALL);
    assert_int_equal(len, LONG);
    assert_memory_equal(got, answer, LONG);
    finish(&pair);
    pair = connect_one();
    say(&pair, "counts\n", 7);
    ask_client_answer(&pair.client, answer, START_MS);
    go_on(&pair, START_MS + ASK_WRITE_LIMIT_MS);
    assert_int_equal(pair.client.state, ASK_GONE);
    finish(&pair);
    free(got);
}

static void where_there_is_no_answer_the_client_is_told(void **state)
{
    struct pair pair = connect_one();

    (void)state;
    say(&pair, "counts\n", 7);
    ask_client_answer(&pair.client, NULL, START_MS);
    expect_answer(&pair, "{\"error\": \"the queues could not be looked at: out of memory\"}");
    finish(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_one_word_in_one_line),
        cmocka_unit_test(it_may_come_byte_by_byte),
        cmocka_unit_test(anything_else_is_told_so),
        cmocka_unit_test(a_line_without_an_end_is_wrong_when_no_more_comes),
        cmocka_unit_test(who_says_nothing_is_given_up),
        cmocka_unit_test(who_waits_may_have_closed_one_direction_and_waits_for_any_time),
        cmocka_unit_test(who_has_gone_is_given_up),
        cmocka_unit_test(a_long_answer_goes_as_it_is_read_and_who_reads_none_is_given_up),
        cmocka_unit_test(where_there_is_no_answer_the_client_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
