/* survey_states - which Postfixes and daemons run, and since when */
#ifndef PEG_SURVEY_STATES_H
#define PEG_SURVEY_STATES_H

#include "lib/settings.h"
#include "survey/survey.h"

/*
 * Fill in state and up_since_ms of the daemons and of the instances that are in the survey. Nobody
 * is disturbed by it, and whoever may search the folders of the pid files gets the answer.
 */
void survey_states_take(const struct settings *settings, struct survey *survey);

#endif
