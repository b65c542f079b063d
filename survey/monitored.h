/*
 * monitored - all that a survey looks at, numbered: the Postfixes, peg-milter, peg-tcpmap
 *
 * A Postfix has its own number, PEG_FIRST and up. Numbers never change, so that what
 * is told by them means the same after a reload and a restart.
 */
#ifndef PEG_MONITORED_H
#define PEG_MONITORED_H

#include "lib/attr.h"
#include "lib/settings.h"
#include "survey/survey.h"

enum {
    MONITORED_MILTER = SETTINGS_PRIORITY_MAX,
    MONITORED_TCPMAP,
    MONITORED_END /* the numbers are PEG_FIRST and up, below this */
};

enum { MONITORED_COUNT = MONITORED_END - PEG_FIRST };

/* "postfix4", "peg-milter". */
void monitored_name(int number, char name_r[SETTINGS_NAME_SIZE]);

/*
 * Whether it runs, and since when (ms of CLOCK_REALTIME, 0: unknown; since_ms_r may be NULL).
 * Returns false where there is no such instance in the survey.
 */
bool monitored_state(const struct survey *survey, int number, enum survey_state *state_r,
                     int64_t *since_ms_r) PEG_MUST_USE;

#endif
