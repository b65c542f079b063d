/*
 * show_check - peg-showqueues --check: a monitoring plugin for Nagios and its kin
 *
 * The interface is that of the Monitoring Plugins Development Guidelines: one line on stdout, with
 * performance data behind `|`, and an exit status. A queue is beyond a limit where it has more.
 */
#ifndef PEG_SHOW_CHECK_H
#define PEG_SHOW_CHECK_H

#include <stdio.h>

#include "lib/attr.h"
#include "lib/settings.h"
#include "showqueues/show_options.h"
#include "survey/survey.h"

enum show_check {
    SHOW_CHECK_OK,
    SHOW_CHECK_WARNING,
    SHOW_CHECK_CRITICAL,
    SHOW_CHECK_UNKNOWN = SHOW_UNKNOWN
};

/*
 * Judge a survey with SURVEY_DETAILS: of all, or of the one instance that is left in it; then the
 * daemons are not judged. Writes the line, and returns the worst that stands in it; critical is
 * worse than warning, and that than unknown.
 */
enum show_check show_check_print(const struct show_options *options,
                                 const struct settings *settings, const struct survey *survey,
                                 FILE *out) PEG_MUST_USE;

/* Read the settings, look, and print to stdout. Returns the exit status. */
int show_check_run(const struct show_options *options) PEG_MUST_USE;

#endif
