/* watch_here - peg-showqueues --watch of the gateway that the options ask for */
#include "showqueues/watch_here.h"

#include <stdio.h>

#include "showqueues/show.h"

/* A look that is under way. */
struct under_way {
    struct flow *flow;
    bool (*is_over)(void *over_arg);
    void *over_arg;
};

/* What happens meanwhile is counted meanwhile: the kernel keeps no more than some seconds of it. */
static bool is_over_now(void *arg)
{
    const struct under_way *look = arg;

    if (look->flow != NULL)
        flow_drain(look->flow, NULL, NULL);
    return look->is_over(look->over_arg);
}

/* The flows as they are now, of all Postfixes that there may be. */
static void take_flows(const struct watch_here *here, const struct under_way *look,
                       struct survey *flows_r)
{
    char why[QUEUES_WHY_SIZE];

    *flows_r = (struct survey){.instance_count = SURVEY_INSTANCES_MAX};
    for (int place = 0; place < SURVEY_INSTANCES_MAX; place++)
        flows_r->instances[place].instance = PEG_FIRST + place;
    (void)!flow_watch(here->flow, here->settings, why); /* rates are unknown where it fails */
    flow_drain(here->flow, look->is_over, look->over_arg);
    flow_fill(here->flow, flows_r);
}

bool watch_here_take(void *arg, enum survey_detail detail, bool (*is_over)(void *over_arg),
                     void *over_arg, struct survey *survey_r, char why_r[WATCH_WHY_SIZE])
{
    static struct survey flows; /* large for a stack */
    const struct watch_here *here = arg;
    struct under_way look = {.flow = here->flow, .is_over = is_over, .over_arg = over_arg};

    if (here->flow != NULL)
        take_flows(here, &look, &flows);
    if (!show_look(here->options, here->settings, detail, is_over_now, &look, survey_r, why_r))
        return false;
    for (size_t i = 0; here->flow != NULL && i < survey_r->instance_count; i++)
        survey_r->instances[i].flow = survey_find(&flows, survey_r->instances[i].instance)->flow;
    return true;
}

static void drain(void *arg)
{
    const struct watch_here *here = arg;

    flow_drain(here->flow, NULL, NULL);
}

/* Whether the first survey can be taken; says why not. Later failures are shown, and pass. */
static bool can_look(const struct watch_here *here)
{
    static struct survey survey; /* large for a stack */
    char why[SOURCE_WHY_SIZE];

    if (show_look(here->options, here->settings, SURVEY_COUNTS, NULL, NULL, &survey, why))
        return true;
    fprintf(stderr, "%s: %s\n", here->options->common.program, why);
    return false;
}

int watch_here(const struct show_options *options)
{
    struct diag diag = diag_to_stderr();
    struct watch_here here = {.options = options,
                              .settings = settings_load(options->common.root, &diag)};
    struct watch_source source = {.take = watch_here_take, .fd = -1, .drain = drain, .arg = &here};
    int status = EXIT_FAILED;

    if (here.settings == NULL)
        return EXIT_FAILED;
    if (can_look(&here)) {
        here.flow = source_is_here(here.settings) ? flow_open(FLOW_MESSAGES) : NULL;
        if (here.flow != NULL)
            source.fd = flow_descriptor(here.flow);
        status = watch_run(&source, options->common.program, options->watch_s);
    }
    flow_close(&here.flow);
    settings_free(&here.settings);
    return status;
}
