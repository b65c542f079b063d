/* watch_here - peg-showqueues --watch with surveys that it takes itself */
#include "monitor/watch_here.h"

#include <stdio.h>

#include "monitor/flow.h"
#include "monitor/show.h"
#include "monitor/watch.h"

struct here {
    const struct show_options *options;
    struct settings *settings;
    struct flow *flow; /* NULL: rates are not known */
};

/* The flows of a survey are those of its beginning: they change by drain() alone. */
static bool take(void *arg, enum survey_detail detail, bool (*is_over)(void *over_arg),
                 void *over_arg, struct survey *survey_r, char why_r[WATCH_WHY_SIZE])
{
    const struct here *here = arg;
    char why[QUEUES_WHY_SIZE];

    why_r[0] = '\0';
    if (here->flow != NULL) {
        (void)!flow_watch(here->flow, here->settings, why); /* rates are unknown where it fails */
        flow_drain(here->flow);
    }
    if (!survey_take(here->settings, detail, is_over, over_arg, survey_r))
        return false;
    if (!here->options->is_whole)
        (void)!survey_keep(survey_r, here->options->instance); /* is_here() has seen it */
    if (here->flow != NULL)
        flow_fill(here->flow, survey_r);
    return true;
}

static void drain(void *arg)
{
    const struct here *here = arg;

    flow_drain(here->flow);
}

/* Whether there is the instance that is asked for; says so where not. */
static bool is_here(const struct show_options *options, const struct settings *settings)
{
    char name[SETTINGS_NAME_SIZE];

    if (options->is_whole || options->instance == PEG_FRONTEND ||
        (options->instance < settings->priority_count &&
         settings_is_local(settings, options->instance)))
        return true;
    settings_instance_name(options->instance, name);
    fprintf(stderr, "%s: there is no %s on this host\n", options->common.program, name);
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
    if (is_here(options, here.settings)) {
        here.flow = flow_open();
        if (here.flow != NULL)
            source.fd = flow_descriptor(here.flow);
        status = watch_run(&source, options->common.program, options->watch_s);
    }
    flow_close(&here.flow);
    settings_free(&here.settings);
    return status;
}
