/* flow_watching_fixture - made-up queues under watch; to be included by one file */
#ifndef PEG_FLOW_WATCHING_FIXTURE_H
#define PEG_FLOW_WATCHING_FIXTURE_H

#include "survey/flow.h"
#include "tests/unit/flow_fixture.h"
#include "tests/unit/settings_of.h"

struct watching {
    char *root;
    struct settings *settings;
    struct flow *flow;
};

static void watch(struct watching *watching)
{
    char why[QUEUES_WHY_SIZE];

    assert_true(flow_watch(watching->flow, watching->settings, why));
    flow_drain(watching->flow, NULL, NULL); /* which looks at what is there */
}

static struct watching begin(char *root, const char *lines)
{
    struct watching watching = {.root = root, .settings = settings_of(root, lines)};

    watching.flow = flow_open(FLOW_SIZES);
    assert_non_null(watching.flow);
    watch(&watching);
    return watching;
}

static void end(struct watching *watching)
{
    flow_close(&watching->flow);
    assert_null(watching->flow);
    settings_free(&watching->settings);
}

static const struct survey_flow *flow_of(const struct watching *watching, int instance)
{
    static struct survey survey;

    survey = (struct survey){.instances = {{.instance = instance}}, .instance_count = 1};
    flow_drain(watching->flow, NULL, NULL);
    flow_fill(watching->flow, &survey);
    return &survey.instances[0].flow;
}

static void expect(const struct watching *watching, int instance, uint64_t received, uint64_t left)
{
    const struct survey_flow *flow = flow_of(watching, instance);

    assert_true(flow->is_known);
    assert_true(flow->since_ms > 0);
    assert_int_equal(flow->received_messages, received);
    assert_int_equal(flow->received_octets, received * OCTETS);
    assert_int_equal(flow->received_recipients, received * RECIPIENTS);
    assert_int_equal(flow->left_messages, left);
    assert_int_equal(flow->left_octets, left * OCTETS);
    assert_int_equal(flow->left_recipients, left * RECIPIENTS);
}

#endif
