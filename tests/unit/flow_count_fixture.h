/* flow_count_fixture - events of made-up messages, and what comes of them; to be included by one
 * file */
#ifndef PEG_FLOW_COUNT_FIXTURE_H
#define PEG_FLOW_COUNT_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "survey/flow_count.h"
#include "tests/unit/unit.h"

/* Queue files that can be read now: each has 1000 octets, and as many recipients as its name is
 * long. */
static const char *gone; /* one that cannot */
static unsigned reads;

static bool read_size(void *arg, enum queue queue, const char *name, struct flow_size *size_r)
{
    (void)arg;
    (void)queue;
    reads++;
    if (gone != NULL && strcmp(gone, name) == 0)
        return false;
    *size_r = (struct flow_size){.octets = 1000, .recipients = strlen(name)};
    return true;
}

static struct flow_count count;
static uint32_t cookie;

static int set_up(void **state)
{
    (void)state;
    count = (struct flow_count){.read_size = read_size};
    gone = NULL;
    reads = 0;
    cookie = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    flow_count_free(&count);
    return 0;
}

static void tell(enum flow_step step, enum queue queue, uint32_t of, const char *name)
{
    static int64_t now_ms = 1;
    const struct flow_event event = {.step = step, .queue = queue, .cookie = of, .name = name};

    flow_count_event(&count, &event, now_ms++);
}

static void from(enum queue queue, const char *name)
{
    tell(FLOW_MOVED_FROM, queue, ++cookie, name);
}

static void to(enum queue queue, const char *name)
{
    tell(FLOW_MOVED_TO, queue, cookie, name);
}

static void move(enum queue here, enum queue there, const char *name)
{
    from(here, name);
    to(there, name);
}

/* From a queue that is not watched, or another folder. */
static void move_in(enum queue queue, const char *name)
{
    ++cookie;
    to(queue, name);
}

static void remove_file(enum queue queue, const char *name)
{
    tell(FLOW_DELETED, queue, 0, name);
}

/* Postfix's mail_queue_enter() makes a file with another name first. */
static void create(const char *name)
{
    from(QUEUE_INCOMING, "834366.2205");
    to(QUEUE_INCOMING, name);
}

static void receive(const char *name)
{
    create(name);
    move(QUEUE_INCOMING, QUEUE_ACTIVE, name);
}

static void expect(uint64_t received, uint64_t octets, uint64_t recipients, uint64_t left,
                   uint64_t left_octets, uint64_t left_recipients)
{
    const struct survey_flow *total = &count.total;

    assert_int_equal(total->received_messages, received);
    assert_int_equal(total->received_octets, octets);
    assert_int_equal(total->received_recipients, recipients);
    assert_int_equal(total->left_messages, left);
    assert_int_equal(total->left_octets, left_octets);
    assert_int_equal(total->left_recipients, left_recipients);
    assert_true((received > 0) == (total->received_last_ms > 0));
    assert_true((left > 0) == (total->left_last_ms > 0));
}

#endif
