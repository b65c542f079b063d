/* test_flow_random - messages that move at random between queues, counted now and then */
#include "survey/flow.h"

#include <stdlib.h>

#include "tests/unit/flow_watching_fixture.h"

enum { MESSAGES = 12, STEPS = 1500, SEEDS = 6 };
enum { COUNT_EVERY = 30, WATCH_EVERY = 300 };

enum place { NOWHERE, INCOMING, ACTIVE, DEFERRED, HOLD };

static const char *const folders[] = {
    [INCOMING] = "incoming", [ACTIVE] = "active", [DEFERRED] = "deferred", [HOLD] = "hold"};

static struct message {
    enum place place;
    int number;
    bool was_received;
} messages[MESSAGES];

static int numbers;
static uint64_t received, left; /* as they should be counted */

static void path_of(const struct message *message, enum place place, char path_r[PATH_SIZE])
{
    snprintf(path_r, PATH_SIZE, POSTFIX0 "%s/A%d", folders[place], message->number);
}

static void begin_message(const char *root, struct message *message)
{
    char path[PATH_SIZE];

    *message = (struct message){.place = INCOMING, .number = numbers++};
    path_of(message, INCOMING, path);
    make_message(root, POSTFIX0 "incoming/1.2");
    rename_in(root, POSTFIX0 "incoming/1.2", path);
}

static void move(const char *root, struct message *message, enum place place)
{
    char from[PATH_SIZE], to[PATH_SIZE];

    path_of(message, message->place, from);
    if (place == NOWHERE) {
        left += message->place == ACTIVE ? 1 : 0;
        remove_in(root, from);
    } else {
        received += message->place == INCOMING && !message->was_received ? 1 : 0;
        message->was_received = message->was_received || message->place == INCOMING;
        path_of(message, place, to);
        rename_in(root, from, to);
    }
    message->place = place;
}

/* Where Postfix may move a message; what is there twice is as likely again. */
static const enum place ways[][8] = {
    [INCOMING] = {ACTIVE, ACTIVE, ACTIVE, ACTIVE, ACTIVE, ACTIVE, HOLD, NOWHERE},
    [ACTIVE] = {NOWHERE, NOWHERE, NOWHERE, DEFERRED, DEFERRED, INCOMING, INCOMING, HOLD},
    [DEFERRED] = {ACTIVE, ACTIVE, ACTIVE, ACTIVE, INCOMING, INCOMING, INCOMING, NOWHERE},
    [HOLD] = {DEFERRED, DEFERRED, DEFERRED, DEFERRED, DEFERRED, DEFERRED, DEFERRED, NOWHERE}};

static void step(const struct watching *watching)
{
    struct message *message = &messages[rand() % MESSAGES];
    enum place before = message->place;

    if (before == NOWHERE)
        begin_message(watching->root, message);
    else
        move(watching->root, message, ways[before][rand() % 8]);
    if (message->place == ACTIVE)
        flow_take_sizes(watching->flow);
    /* Not gathered: what stays there for longer than that, and has a size to be read by then. */
    if (message->place == HOLD || (before == ACTIVE && message->place == DEFERRED) ||
        rand() % COUNT_EVERY == 0)
        expect(watching, 0, received, left);
}

static void messages_that_move_at_random_are_counted_exactly_with_their_sizes(void **state)
{
    char *root = *state;

    make_both(root);
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        struct watching watching = begin(root, TWO);

        srand(seed);
        received = left = 0;
        for (int i = 0; i < STEPS; i++) {
            step(&watching);
            if (rand() % WATCH_EVERY == 0)
                watch(&watching);
        }
        for (int i = 0; i < MESSAGES; i++)
            if (messages[i].place != NOWHERE)
                move(root, &messages[i], NOWHERE);
        expect(&watching, 0, received, left);
        end(&watching);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        messages_that_move_at_random_are_counted_exactly_with_their_sizes, set_up, tear_down)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
