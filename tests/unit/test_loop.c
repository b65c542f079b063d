/* test_loop - rounds and signals by a clock of ours */
#include "monitor/loop.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { MINUTE_MS = LOOP_INTERVAL_MS, EVENTS_MAX = 8 };

/* What happens, and what the loop made of it: `r60` is a round at 60 s, `l` a reload. */
struct world {
    int64_t now_ms;
    int64_t round_takes_ms;
    struct {
        int64_t at_ms;
        enum loop_event event;
    } events[EVENTS_MAX];
    size_t next;
    char story[256];
};

static void tell(struct world *world, const char *what)
{
    size_t used = strlen(world->story);

    snprintf(world->story + used, sizeof world->story - used, " %s%d", what,
             (int)(world->now_ms / 1000));
}

static int64_t now_ms(void *arg)
{
    return ((struct world *)arg)->now_ms;
}

static enum loop_event wait_for(void *arg, int64_t timeout_ms)
{
    struct world *world = arg;
    int64_t until_ms = world->now_ms + timeout_ms;

    assert_in_range(timeout_ms, 0, MINUTE_MS);
    if (world->events[world->next].at_ms > until_ms) {
        world->now_ms = until_ms;
        return LOOP_NOTHING;
    }
    if (world->events[world->next].at_ms > world->now_ms)
        world->now_ms = world->events[world->next].at_ms;
    return world->events[world->next++].event;
}

static void do_round(void *arg)
{
    struct world *world = arg;

    tell(world, "r");
    world->now_ms += world->round_takes_ms;
}

static void reload(void *arg)
{
    tell(arg, "l");
}

static void expect(struct world *world, const char *story)
{
    const struct loop loop = {
        .now_ms = now_ms, .wait = wait_for, .round = do_round, .reload = reload, .arg = world};

    loop_run(&loop);
    tell(world, "end");
    assert_string_equal(world->story, story);
}

static void there_is_a_round_at_once_and_every_minute(void **state)
{
    struct world world = {.round_takes_ms = 100, .events = {{200000, LOOP_END}}};

    (void)state;
    expect(&world, " r0 r60 r120 r180 end200");
}

static void rounds_that_were_missed_are_left_out_and_the_others_stay_in_step(void **state)
{
    struct world world = {.round_takes_ms = 70000, .events = {{300000, LOOP_END}}};

    (void)state;
    expect(&world, " r0 r120 r240 end310");
}

static void a_reload_shows_at_once_and_the_minutes_count_from_then(void **state)
{
    struct world world = {.events = {{10000, LOOP_RELOAD}, {100000, LOOP_END}}};

    (void)state;
    expect(&world, " r0 l10 r10 r70 end100");
}

static void a_reload_that_came_in_a_round_is_done_after_it(void **state)
{
    struct world world = {.round_takes_ms = 5000,
                          .events = {{1000, LOOP_RELOAD}, {2000, LOOP_RELOAD}, {3000, LOOP_END}}};

    (void)state;
    expect(&world, " r0 l5 r5 l10 r10 end15");
}

static void a_wait_that_ends_for_nothing_makes_no_round(void **state)
{
    struct world world = {
        .events = {{1000, LOOP_NOTHING}, {59000, LOOP_NOTHING}, {61000, LOOP_END}}};

    (void)state;
    expect(&world, " r0 r60 end61");
}

static void the_end_in_the_first_round_is_the_end(void **state)
{
    struct world world = {.round_takes_ms = 100, .events = {{50, LOOP_END}}};

    (void)state;
    expect(&world, " r0 end0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_is_a_round_at_once_and_every_minute),
        cmocka_unit_test(rounds_that_were_missed_are_left_out_and_the_others_stay_in_step),
        cmocka_unit_test(a_reload_shows_at_once_and_the_minutes_count_from_then),
        cmocka_unit_test(a_reload_that_came_in_a_round_is_done_after_it),
        cmocka_unit_test(a_wait_that_ends_for_nothing_makes_no_round),
        cmocka_unit_test(the_end_in_the_first_round_is_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
