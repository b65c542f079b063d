/*
 * test_tcpmap_wait - the tcp_table server when one side waits for the other: clients that do not
 * read, a table that is away, and the end
 */
#include "tcpmap/server.h"

#include <errno.h>

#include "tests/unit/tcpmap_fixture.h"

/*
 * Send the request again and again until the server takes no more, or drops the client. Returns the
 * bytes it took.
 */
static size_t flood(int fd, const char *request)
{
    const size_t len = strlen(request);
    struct pollfd watched = {.fd = fd, .events = POLLOUT};
    size_t sent = 0;

    while (poll(&watched, 1, QUIET_MS) == 1 && (watched.revents & (POLLERR | POLLHUP)) == 0) {
        ssize_t got = send(fd, request + sent % len, len - sent % len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (got < 0 && (errno == ECONNRESET || errno == EPIPE))
            break;
        assert_true(got > 0 || errno == EAGAIN);
        sent += got > 0 ? (size_t)got : 0;
        assert_true(sent < (size_t)4 << 20); /* what the kernel buffers, with much to spare */
    }
    return sent;
}

/* A client with small buffers of its own, so that it is soon in arrears. */
static int small_client(const struct fixture *f)
{
    const int size = 32 * 1024;
    int fd = make_socket();

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&f->address, sizeof f->address), 0);
    return fd;
}

static void a_client_that_reads_late_is_held_back_and_loses_nothing(void **state)
{
    const char *request = "get greedy@dest.example\n";
    struct fixture *f = start(defaults());
    int greedy = small_client(f);
    int other = client(f);
    size_t count = flood(greedy, request) / strlen(request);

    (void)state;
    say(other, "get other@x\n");
    expect(other, "200 r:other@x\n");
    for (size_t i = 0; i < count; i++)
        expect(greedy, "200 r:greedy@dest.example\n");
    close(greedy);
    close(other);
    finish(f);
}

static void a_client_that_never_reads_is_dropped_in_the_end(void **state)
{
    struct server_config config = defaults();
    struct pollfd watched = {.events = 0};
    char request[2000] = "get ";
    struct fixture *f;

    (void)state;
    /* A long one: of many short answers the kernel of such a client may drop too many. */
    memset(request + 4, '@', sizeof request - 6);
    request[sizeof request - 2] = '\n';
    config.stall_max_ms = 2 * QUIET_MS;
    f = start(config);
    watched.fd = small_client(f);
    flood(watched.fd, request);
    assert_int_equal(poll(&watched, 1, DEADLINE_MS), 1);
    assert_true((watched.revents & (POLLERR | POLLHUP)) != 0);
    close(watched.fd);
    finish(f);
}

static void answers_are_held_while_the_table_is_away_and_released_in_order(void **state)
{
    struct fixture *f = start(defaults());
    int one = client(f);
    int two = client(f);

    (void)state;
    f->available = false;
    say(one, "get a@held\nget *\nget b@held\n");
    say(two, "get *\nget c@held\n");
    expect(two, "500 not%20found\n"); /* needs no table */
    assert_false(has_input(one, QUIET_MS));
    assert_false(has_input(two, QUIET_MS));
    f->available = true;
    expect(one, "200 r:a@held\n500 not%20found\n200 r:b@held\n");
    expect(two, "200 r:c@held\n");
    f->available = false; /* and again */
    say(one, "get d@held\n");
    assert_false(has_input(one, QUIET_MS));
    f->available = true;
    expect(one, "200 r:d@held\n");
    close(one);
    close(two);
    finish(f);
}

static void a_table_that_stays_away_is_answered_with_400_after_the_longest_wait(void **state)
{
    struct server_config config = defaults();
    struct fixture *f;
    int fd;

    (void)state;
    config.hold_retry_ms = 10;
    config.hold_max_ms = QUIET_MS;
    f = start(config);
    f->available = false;
    fd = client(f);
    say(fd, "get a@held\nget b@held\nget *\nget c@he");
    assert_false(has_input(fd, QUIET_MS / 2));
    expect(fd, "400 decision%20table%20is%20not%20available\n"
               "400 decision%20table%20is%20not%20available\n"
               "500 not%20found\n");
    f->available = true;
    say(fd, "ld\n");
    expect(fd, "200 r:c@held\n");
    close(fd);
    finish(f);
}

static void a_client_that_has_sent_all_it_will_is_still_answered(void **state)
{
    struct fixture *f = start(defaults());
    int fd = client(f);

    (void)state;
    f->available = false;
    say(fd, "get a@b\nget *\nget c@d");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_false(has_input(fd, QUIET_MS));
    f->available = true;
    expect(fd, "200 r:a@b\n500 not%20found\n");
    expect_end(fd);
    close(fd);
    finish(f);
}

static void the_end_may_come_with_the_last_request(void **state)
{
    enum { FULL = PROTOCOL_LINE_MAX / 8 }; /* requests that fill the server's input */
    static const size_t counts[] = {1, FULL - 1, FULL, FULL + 1, 3 * FULL};
    char text[3 * FULL * 8 + 1] = "";
    struct fixture *f = start(defaults());

    (void)state;
    for (size_t i = 0; i < 3 * FULL; i++)
        memcpy(text + 8 * i, "get @ab\n", 9);
    for (size_t n = 0; n < sizeof counts / sizeof *counts; n++) {
        int fd = client(f);
        ssize_t len = (ssize_t)(8 * counts[n]);

        assert_int_equal(send(fd, text, (size_t)len, MSG_NOSIGNAL | MSG_MORE), len);
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        for (size_t i = 0; i < counts[n]; i++)
            expect(fd, "200 r:@ab\n");
        expect_end(fd);
        close(fd);
    }
    finish(f);
}

static void on_stop_what_is_complete_is_answered_and_what_is_held_is_not(void **state)
{
    struct fixture *f = start(defaults());
    int idle = client(f);
    int held = client(f);

    (void)state;
    say(idle, "get a@b\nget incompl");
    expect(idle, "200 r:a@b\n");
    f->available = false;
    say(held, "get *\nget c@d\n");
    expect(held, "500 not%20found\n");
    ask_to_stop(f);
    expect_end(idle);
    expect_end(held); /* no 400: Postfix asks the next server within seconds */
    assert_int_equal(finish(f), 2);
    close(idle);
    close(held);
}

static void a_client_that_does_not_read_cannot_keep_the_server_from_stopping(void **state)
{
    struct fixture *f = start(defaults());
    int fd = small_client(f);

    (void)state;
    flood(fd, "get stalled@dest.example\n");
    finish(f);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_that_reads_late_is_held_back_and_loses_nothing),
        cmocka_unit_test(a_client_that_never_reads_is_dropped_in_the_end),
        cmocka_unit_test(answers_are_held_while_the_table_is_away_and_released_in_order),
        cmocka_unit_test(a_table_that_stays_away_is_answered_with_400_after_the_longest_wait),
        cmocka_unit_test(a_client_that_has_sent_all_it_will_is_still_answered),
        cmocka_unit_test(the_end_may_come_with_the_last_request),
        cmocka_unit_test(on_stop_what_is_complete_is_answered_and_what_is_held_is_not),
        cmocka_unit_test(a_client_that_does_not_read_cannot_keep_the_server_from_stopping),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
