/* show - what peg-showqueues prints: the counts, with ages, or as JSON */
#include "showqueues/show.h"

#include <stdio.h>
#include <stdlib.h>

#include "showqueues/destinations_list.h"
#include "showqueues/showqueues.h"
#include "survey/survey_json.h"

static struct survey survey; /* large for a stack, and this is no thread */

bool show_look(const struct show_options *options, const struct settings *settings,
               enum survey_detail detail, bool (*is_over)(void *arg), void *arg,
               struct survey *survey_r, char why_r[SOURCE_WHY_SIZE])
{
    char name[SETTINGS_NAME_SIZE];

    if (!source_take(settings, detail, is_over, arg, survey_r, why_r))
        return false;
    if (!options->is_whole && !survey_keep(survey_r, options->instance)) {
        settings_instance_name(options->instance, name);
        snprintf(why_r, SOURCE_WHY_SIZE, "there is no %s on this host", name);
        return false;
    }
    return true;
}

/* Look, and have print() print it. */
static int run(const struct show_options *options, enum survey_detail detail,
               bool (*print)(const struct show_options *options))
{
    struct diag diag = diag_to_stderr();
    struct settings *settings = settings_load(options->common.root, &diag);
    char why[SOURCE_WHY_SIZE];
    bool ok = settings != NULL;

    if (ok && !show_look(options, settings, detail, NULL, NULL, &survey, why)) {
        fprintf(stderr, "%s: %s\n", options->common.program, why);
        ok = false;
    }
    ok = ok && print(options);
    settings_free(&settings);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

static bool print_counts(const struct show_options *options)
{
    return showqueues_print(&survey, options->common.program, stdout, stderr);
}

int show_run_counts(const struct show_options *options)
{
    return run(options, SURVEY_COUNTS, print_counts);
}

static bool print_age(const struct show_options *options)
{
    return showqueues_print_age(&survey, options->common.program, stdout, stderr);
}

int show_run_age(const struct show_options *options)
{
    return run(options, SURVEY_DETAILS, print_age);
}

static bool print_json(const struct show_options *options)
{
    char *text = survey_json_write(&survey);
    bool ok = text != NULL && puts(text) >= 0;

    if (text == NULL)
        fprintf(stderr, "%s: out of memory\n", options->common.program);
    free(text);
    return showqueues_print_problems(&survey, options->common.program, stderr) && ok;
}

int show_run_json(const struct show_options *options)
{
    return run(options, options->age ? SURVEY_DETAILS : SURVEY_COUNTS, print_json);
}

int show_run_destinations(const struct show_options *options)
{
    struct diag diag = diag_to_stderr();
    struct settings *settings = settings_load(options->common.root, &diag);
    const struct destinations_list list = {.settings = settings,
                                           .program = options->common.program,
                                           .limit = options->limit,
                                           .is_whole = options->is_whole,
                                           .instance = options->instance,
                                           .as_json = options->json,
                                           .out = stdout,
                                           .err = stderr};
    bool ok = settings != NULL && destinations_list(&list);

    settings_free(&settings);
    return ok ? EXIT_DONE : EXIT_FAILED;
}
