/* test_ask_server - many who ask at once, looks that take long, and an end at any time */
#include "monitor/ask_server.h"

#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "tests/unit/unit.h"

enum { PATIENCE_MS = 30000, MANY = 300 };

/* Looks for details begin, and then take until they are let go, or ended; counts take no time. */
struct looks {
    sem_t begun;
    sem_t let_go;
    atomic_int details;
    atomic_int ended_early;
};

struct fixture {
    struct looks looks;
    struct ask_server *server;
    struct sockaddr_un address;
};

static char *answer(void *arg, enum survey_detail detail, bool (*is_over)(void *over_arg),
                    void *over_arg)
{
    struct looks *looks = arg;
    char *text = NULL;

    if (detail == SURVEY_COUNTS)
        return strdup("counted");
    sem_post(&looks->begun);
    while (sem_trywait(&looks->let_go) != 0)
        if (is_over(over_arg)) {
            atomic_fetch_add(&looks->ended_early, 1);
            return NULL;
        } else {
            clock_sleep_ms(1);
        }
    if (asprintf(&text, "look %d", atomic_fetch_add(&looks->details, 1) + 1) < 0)
        return NULL;
    return text;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    const struct ask_source source = {.answer = answer, .arg = &fixture->looks};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    socklen_t len = sizeof fixture->address;

    assert_true(fd >= 0);
    sem_init(&fixture->looks.begun, 0, 0);
    sem_init(&fixture->looks.let_go, 0, 0);
    fixture->address.sun_family = AF_UNIX; /* the kernel finds an abstract name */
    assert_int_equal(bind(fd, (struct sockaddr *)&fixture->address, sizeof(sa_family_t)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&fixture->address, &len), 0);
    assert_int_equal(listen(fd, MANY), 0);
    fixture->server = ask_server_start(fd, &source);
    assert_non_null(fixture->server);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    ask_server_stop(&fixture->server);
    assert_null(fixture->server);
    sem_destroy(&fixture->looks.begun);
    sem_destroy(&fixture->looks.let_go);
    free(fixture);
    return 0;
}

static int call(const struct fixture *fixture, const char *request)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t len = (socklen_t)(sizeof(sa_family_t) + 1 + strlen(fixture->address.sun_path + 1));

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&fixture->address, len), 0);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    return fd;
}

static bool has_something(int fd, int timeout_ms)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};

    return poll(&polled, 1, timeout_ms) > 0;
}

/* Read to the end, which has to come. */
static void expect(int fd, const char *expected)
{
    char text[256] = "";
    size_t len = 0;
    ssize_t got;

    do {
        assert_true(has_something(fd, PATIENCE_MS));
        got = recv(fd, text + len, sizeof text - 1 - len, 0);
        assert_true(got >= 0);
        len += (size_t)got;
    } while (got > 0);
    assert_string_equal(text, expected);
    close(fd);
}

static void who_asks_is_answered(void **state)
{
    struct fixture *fixture = *state;

    expect(call(fixture, "counts\n"), "counted");
    sem_post(&fixture->looks.let_go);
    expect(call(fixture, "details\n"), "look 1");
    expect(call(fixture, "nonsense\n"), "{\"error\": \"ask for counts or details, in one line\"}");
    expect(call(fixture, "counts\n"), "counted");
}

/* Those who ask during a look get the next one, together: what they see is no older than that they
 * asked. */
static void who_asks_during_a_look_shares_the_next(void **state)
{
    struct fixture *fixture = *state;
    int first = call(fixture, "details\n"), later[3];

    sem_wait(&fixture->looks.begun);
    for (size_t i = 0; i < LENGTH(later); i++)
        later[i] = call(fixture, "details\n");
    expect(call(fixture, "counts\n"), "counted"); /* does not wait; and the others are heard now */
    sem_post(&fixture->looks.let_go);
    expect(first, "look 1");
    sem_wait(&fixture->looks.begun);
    for (size_t i = 0; i < LENGTH(later); i++)
        assert_false(has_something(later[i], 0));
    sem_post(&fixture->looks.let_go);
    for (size_t i = 0; i < LENGTH(later); i++)
        expect(later[i], "look 2");
    assert_int_equal(sem_trywait(&fixture->looks.begun), -1); /* there was no third */
}

static void more_than_it_takes_at_a_time_are_all_answered(void **state)
{
    struct fixture *fixture = *state;
    int fds[MANY];

    for (size_t i = 0; i < MANY; i++)
        fds[i] = call(fixture, "counts\n");
    for (size_t i = 0; i < MANY; i++)
        expect(fds[i], "counted");
}

static void who_says_nothing_or_reads_nothing_holds_up_nobody(void **state)
{
    struct fixture *fixture = *state;
    int silent[20];

    for (size_t i = 0; i < LENGTH(silent); i++)
        silent[i] = call(fixture, i % 2 == 0 ? "" : "counts\n");
    expect(call(fixture, "counts\n"), "counted");
    for (size_t i = 0; i < LENGTH(silent); i++)
        close(silent[i]);
    expect(call(fixture, "counts\n"), "counted");
}

static void who_goes_while_a_look_is_under_way_is_no_harm(void **state)
{
    struct fixture *fixture = *state;
    int gone = call(fixture, "details\n"), stays;

    sem_wait(&fixture->looks.begun);
    close(gone);
    stays = call(fixture, "details\n");
    sem_post(&fixture->looks.let_go);
    sem_post(&fixture->looks.let_go);
    expect(stays, "look 2");
}

static void an_end_does_not_wait_for_a_look(void **state)
{
    struct fixture *fixture = *state;
    int under_way = call(fixture, "details\n"), waits;

    sem_wait(&fixture->looks.begun);
    waits = call(fixture, "details\n");
    ask_server_stop(&fixture->server);
    assert_int_equal(atomic_load(&fixture->looks.ended_early), 1);
    assert_int_equal(sem_trywait(&fixture->looks.begun), -1); /* and none is begun */
    expect(under_way, "");
    close(waits); /* taken or not: it was at the end of the queue */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(who_asks_is_answered),
        TEST(who_asks_during_a_look_shares_the_next),
        TEST(more_than_it_takes_at_a_time_are_all_answered),
        TEST(who_says_nothing_or_reads_nothing_holds_up_nobody),
        TEST(who_goes_while_a_look_is_under_way_is_no_harm),
        TEST(an_end_does_not_wait_for_a_look),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
