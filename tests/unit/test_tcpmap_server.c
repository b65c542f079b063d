/* test_tcpmap_server - requests, limits and listening of the tcp_table server; and its routes */
#include "tcpmap/server.h"

#include <errno.h>
#include <sys/resource.h>
#include <time.h>

#include "tcpmap/answer.h"
#include "tests/unit/tcpmap_fixture.h"

static void each_kind_of_request_gets_its_reply(void **state)
{
    static const struct {
        const char *request;
        const char *reply;
    } cases[] = {
        {"get bob@dest.example\n", "200 r:bob@dest.example\n"},
        {"get %22a%20b%22@x\n", "200 r:\"a%20b\"@x\n"},
        {"get *\n", "500 not%20found\n"},
        {"get dest.example\n", "500 not%20found\n"},
        {"put a@b c\n", "500 update%20rejected,%20this%20table%20is%20read-only\n"},
        {"help\n", "400 unknown%20request\n"},
        {"\n", "400 unknown%20request\n"},
        {"get \n", "400 empty%20parameter\n"},
        {"get a%00@b\n", "400 %2500%20in%20a%20parameter\n"},
        {"get after@errors\n", "200 r:after@errors\n"},
    };
    struct fixture *f = start(defaults());
    int fd = client(f);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        say(fd, cases[i].request);
        expect(fd, cases[i].reply);
    }
    close(fd);
    assert_int_equal(finish(f), 1);
}

static void a_request_may_come_byte_by_byte(void **state)
{
    const char *request = "get slow@dest.example\n";
    struct fixture *f = start(defaults());
    int one = client(f);
    int other = client(f);

    (void)state;
    for (const char *p = request; *p != '\0'; p++) {
        assert_int_equal(send(one, p, 1, MSG_NOSIGNAL), 1);
        say(other, "get quick@x\n"); /* a turn of the loop, so that bytes arrive one by one */
        expect(other, "200 r:quick@x\n");
    }
    expect(one, "200 r:slow@dest.example\n");
    close(one);
    close(other);
    finish(f);
}

static void a_thousand_pipelined_requests_are_answered_in_order(void **state)
{
    enum { COUNT = 1000 };
    struct fixture *f = start(defaults());
    int fd = client(f);
    char *text = NULL;
    size_t len = 0;
    FILE *all = open_memstream(&text, &len);

    (void)state;
    assert_non_null(all);
    for (int i = 0; i < COUNT; i++)
        fprintf(all, "get user%d@dest.example\n", i);
    assert_int_equal(fclose(all), 0);
    say(fd, text);
    for (int i = 0; i < COUNT; i++) {
        char reply[64];

        snprintf(reply, sizeof reply, "200 r:user%d@dest.example\n", i);
        expect(fd, reply);
    }
    free(text);
    close(fd);
    finish(f);
}

static void replies_longer_than_their_requests_are_all_sent(void **state)
{
    enum { COUNT = 600 };
    struct fixture *f = start(defaults());
    char text[COUNT * 6 + 1] = "";
    int fd = client(f);

    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        memcpy(text + 6 * i, "get *\n", 7);
    say(fd, text); /* one line of input's worth; nothing more comes to wake the server */
    for (int i = 0; i < COUNT; i++)
        expect(fd, "500 not%20found\n");
    close(fd);
    finish(f);
}

/* The first letters of keys, in the order in which they are looked up; `w` waits for fd. */
struct in_order {
    int fd;
    atomic_int count;
    char letters[4];
};

static struct in_order seen;

static int note_letter(void *arg, const char *key, size_t key_len, char text_r[PROTOCOL_LINE_MAX])
{
    struct pollfd watched = {.fd = seen.fd, .events = POLLIN};

    (void)arg, (void)key_len;
    seen.letters[seen.count++] = *key;
    if (*key == 'w')
        (void)poll(&watched, 1, DEADLINE_MS);
    strcpy(text_r, "r");
    return 1;
}

static void requests_are_answered_in_the_order_in_which_they_came(void **state)
{
    struct server_config config = defaults();
    struct fixture *f;
    int one, other;

    (void)state;
    config.lookup = note_letter;
    seen = (struct in_order){.fd = eventfd(0, EFD_CLOEXEC)};
    f = start(config);
    one = client(f);
    other = client(f);
    say(other, "get a@x\n");
    expect(other, "200 r\n");
    say(one, "get w@x\n");
    while (seen.count < 2)
        (void)poll(NULL, 0, 1);
    say(other, "get b@x\n"); /* while the server is busy, and before the next of the other */
    say(one, "get c@x\n");
    assert_int_equal(eventfd_write(seen.fd, 1), 0);
    expect(other, "200 r\n");
    expect(one, "200 r\n200 r\n");
    assert_memory_equal(seen.letters, "awbc", 4);
    close(seen.fd);
    close(one);
    close(other);
    finish(f);
}

static void two_hundred_connections_are_served_at_once(void **state)
{
    enum { COUNT = 200 };
    struct fixture *f = start(defaults());
    int fds[COUNT];
    char text[64];

    (void)state;
    for (int i = 0; i < COUNT; i++)
        fds[i] = client(f);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++) {
            snprintf(text, sizeof text, "get user%d@round%d\n", i, round);
            say(fds[i], text);
        }
        for (int i = COUNT - 1; i >= 0; i--) {
            snprintf(text, sizeof text, "200 r:user%d@round%d\n", i, round);
            expect(fds[i], text);
        }
    }
    for (int i = 0; i < COUNT; i++)
        close(fds[i]);
    assert_int_equal(finish(f), COUNT);
}

static int64_t cpu_ms(pthread_t thread)
{
    struct timespec used;
    clockid_t clock;

    assert_int_equal(pthread_getcpuclockid(thread, &clock), 0);
    assert_int_equal(clock_gettime(clock, &used), 0);
    return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

static void beyond_the_limit_a_client_waits_until_another_leaves(void **state)
{
    struct server_config config = defaults();
    struct fixture *f;
    int64_t before_ms;
    int fds[3];

    (void)state;
    config.connection_limit = 2;
    f = start(config);
    for (int i = 0; i < 3; i++) {
        fds[i] = client(f);
        say(fds[i], "get a@b\n");
    }
    expect(fds[0], "200 r:a@b\n");
    expect(fds[1], "200 r:a@b\n");
    before_ms = cpu_ms(f->thread);
    assert_false(has_input(fds[2], 3 * QUIET_MS));
    assert_true(cpu_ms(f->thread) - before_ms < QUIET_MS); /* it sleeps meanwhile */
    close(fds[0]);
    expect(fds[2], "200 r:a@b\n");
    say(fds[1], "get c@d\n");
    expect(fds[1], "200 r:c@d\n");
    close(fds[1]);
    close(fds[2]);
    assert_int_equal(finish(f), 3);
}

static void a_line_that_is_too_long_is_answered_with_400_and_the_end(void **state)
{
    static const size_t lengths[] = {PROTOCOL_LINE_MAX, PROTOCOL_LINE_MAX + 1, 1 << 20};
    struct fixture *f = start(defaults());

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char *line = malloc(lengths[i] + 1);
        int fd = client(f);

        assert_non_null(line);
        memset(line, 'k', lengths[i]);
        memcpy(line, "get ", 4);
        line[lengths[i]] = '\0';
        say(fd, "get first@x\n");
        say(fd, line);
        say(fd, "\nget never@answered\n");
        expect(fd, "200 r:first@x\n400 line%20too%20long\n");
        assert_true(has_input(fd, 2500)); /* the end, before the client has to close */
        expect_end(fd);
        close(fd);
        free(line);
    }
    finish(f);
}

static void a_line_of_4096_bytes_is_answered(void **state)
{
    struct fixture *f = start(defaults());
    char line[PROTOCOL_LINE_MAX + 1];
    int fd = client(f);

    (void)state;
    memset(line, 'k', sizeof line);
    memcpy(line, "get ", 4);
    memcpy(line + PROTOCOL_LINE_MAX - 1, "\n", 2);
    say(fd, line);
    expect(fd, "500 not%20found\n");
    line[PROTOCOL_LINE_MAX - 2] = '@'; /* now there is data, two bytes longer than the key */
    say(fd, line);
    expect(fd, "400 reply%20too%20long\n");
    say(fd, "get next@x\n");
    expect(fd, "200 r:next@x\n");
    close(fd);
    finish(f);
}

static void without_free_descriptors_the_server_waits_without_spinning(void **state)
{
    enum { LOW = 128 };
    struct fixture *f = start(defaults());
    int fd = make_socket();
    struct rlimit saved;
    struct rlimit low;
    int taken[LOW];
    int taken_count = 0;
    int64_t before_ms;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
    low = saved;
    low.rlim_cur = LOW;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    while (taken_count < LOW && (taken[taken_count] = dup(fd)) >= 0)
        taken_count++;
    assert_int_equal(errno, EMFILE);
    assert_int_equal(connect(fd, (struct sockaddr *)&f->address, sizeof f->address), 0);
    say(fd, "get a@b\n");
    before_ms = cpu_ms(f->thread);
    assert_false(has_input(fd, 3 * QUIET_MS));
    assert_true(cpu_ms(f->thread) - before_ms < QUIET_MS);
    while (taken_count > 0)
        close(taken[--taken_count]);
    expect(fd, "200 r:a@b\n");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
    close(fd);
    finish(f);
}

static void an_address_to_listen_on_must_be_numeric_and_free(void **state)
{
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    int fd = listen_open("127.0.0.1", 0);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(listen_open("127.0.0.1", ntohs(address.sin_port)), -1);
    assert_int_equal(listen_open("localhost", 0), -1);
    assert_int_equal(listen_open("[::1]", 0), -1);
    close(fd);
    fd = listen_open("::1", 0);
    if (fd < 0) /* a host without IPv6 */
        assert_true(errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT);
    else
        close(fd);
}

static void a_route_names_the_transport_and_port_of_its_instance(void **state)
{
    static const struct {
        int priority;
        const char *text;
    } cases[] = {
        {0, "peg0:[127.0.0.1]:20000"},  {2, "peg2:[127.0.0.1]:20002"},
        {4, "peg4:[127.0.0.1]:20004"},  {5, "peg4:[127.0.0.1]:20004"}, /* never demoted */
        {-1, "peg4:[127.0.0.1]:20004"}, {253, "peg4:[127.0.0.1]:20004"},
    };
    const struct settings settings = {.priority_count = 5, .instance_port_base = 20000};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[PEG_ROUTE_SIZE];

        answer_format(&settings, cases[i].priority, text);
        assert_string_equal(text, cases[i].text);
    }
    assert_true(answer_is_address("a@b", 3));
    assert_false(answer_is_address("*", 1));
    assert_false(answer_is_address("dest.example", 12));
    assert_false(answer_is_address("ab@", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_request_gets_its_reply),
        cmocka_unit_test(a_request_may_come_byte_by_byte),
        cmocka_unit_test(a_thousand_pipelined_requests_are_answered_in_order),
        cmocka_unit_test(replies_longer_than_their_requests_are_all_sent),
        cmocka_unit_test(requests_are_answered_in_the_order_in_which_they_came),
        cmocka_unit_test(two_hundred_connections_are_served_at_once),
        cmocka_unit_test(beyond_the_limit_a_client_waits_until_another_leaves),
        cmocka_unit_test(a_line_that_is_too_long_is_answered_with_400_and_the_end),
        cmocka_unit_test(a_line_of_4096_bytes_is_answered),
        cmocka_unit_test(without_free_descriptors_the_server_waits_without_spinning),
        cmocka_unit_test(an_address_to_listen_on_must_be_numeric_and_free),
        cmocka_unit_test(a_route_names_the_transport_and_port_of_its_instance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
