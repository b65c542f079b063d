/* watch_here - peg-showqueues --watch of the gateway that the options ask for */
#include "monitor/watch_here.h"

#include <stdio.h>

#include "monitor/flow.h"
#include "monitor/show.h"
#include "monitor/watch.h"

struct here {
    const struct show_options *options;
    struct settings *settings;
    struct flow *flow; /* NULL: rates are those of peg-monitor's survey, or not known */
};

/* The flows of a survey are those of its beginning: they change by drain() alone. */
static bool take(void *arg, enum survey_detail detail, bool (*is_over)(void *over_arg),
                 void *over_arg, struct survey *survey_r, char why_r[WATCH_WHY_SIZE])
{
    const struct here *here = arg;
    char why[QUEUES_WHY_SIZE];

    if (here->flow != NULL) {
        (void)!flow_watch(here->flow, here->settings, why); /* rates are unknown where it fails */
        flow_drain(here->flow);
    }
    if (!show_look(here->options, here->settings, detail, is_over, over_arg, survey_r, why_r))
        return false;
    if (here->flow != NULL)
        flow_fill(here->flow, survey_r);
    return true;
}

static void drain(void *arg)
{
    const struct here *here = arg;

    flow_drain(here->flow);
}

/* Whether the first survey can be taken; says why not. Later failures are shown, and pass. */
static bool can_look(const struct here *here)
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
    struct here here = {.options = options, .settings = settings_load(options->common.root, &diag)};
    struct watch_source source = {.take = take, .fd = -1, .drain = drain, .arg = &here};
    int status = EXIT_FAILED;

    if (here.settings == NULL)
        return EXIT_FAILED;
    if (can_look(&here)) {
        here.flow = source_is_here(here.settings) ? flow_open() : NULL;
        if (here.flow != NULL)
            source.fd = flow_descriptor(here.flow);
        status = watch_run(&source, options->common.program, options->watch_s);
    }
    flow_close(&here.flow);
    settings_free(&here.settings);
    return status;
}
