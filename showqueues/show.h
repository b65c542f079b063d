/* show - what peg-showqueues prints: the counts, with ages, or as JSON */
#ifndef PEG_SHOW_H
#define PEG_SHOW_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/settings.h"
#include "showqueues/show_options.h"
#include "showqueues/source.h"
#include "survey/survey.h"

/*
 * Take the survey that the options ask for: of all, or of one instance. Returns false with the
 * reason in why_r where it cannot be taken, or there is no such instance on this host, and with ""
 * where is_over() ended it, which may be NULL.
 */
bool show_look(const struct show_options *options, const struct settings *settings,
               enum survey_detail detail, bool (*is_over)(void *arg), void *arg,
               struct survey *survey_r, char why_r[SOURCE_WHY_SIZE]) PEG_MUST_USE;

/* Read the settings, look, and print to stdout, problems to stderr. Return the exit status. */
int show_run_counts(const struct show_options *options) PEG_MUST_USE;
int show_run_age(const struct show_options *options) PEG_MUST_USE;
int show_run_json(const struct show_options *options) PEG_MUST_USE;

/* The same for destinations: Postfix is asked, and no survey taken. */
int show_run_destinations(const struct show_options *options) PEG_MUST_USE;

#endif
