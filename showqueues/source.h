/*
 * source - a survey for whoever runs this: taken here where that is permitted, else by peg-monitor
 *
 * Queues are open to root and to the user of their Postfix. For members of MONITORING_GROUP
 * peg-monitor looks (monitor/ask_server.h). Each call makes its own connection, so that a restart
 * of peg-monitor between two calls does no harm.
 *
 * Not for concurrent use in threads: it looks up groups.
 */
#ifndef PEG_SOURCE_H
#define PEG_SOURCE_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/settings.h"
#include "survey/survey.h"

enum { SOURCE_WHY_SIZE = QUEUES_WHY_SIZE };

/*
 * How long peg-monitor may take to begin its answer: it reads the heads of all queue files for
 * SURVEY_DETAILS, perhaps from a disk that is busy.
 */
enum { SOURCE_LIMIT_MS = 300 * 1000, SOURCE_ANSWER_SIZE_MAX = 1 << 20 };

/*
 * Take a survey. One or the other: where a single queue may not be read here, peg-monitor is asked
 * for all, and flows are known only then. is_over may be NULL, and ends it as in survey_take().
 * Returns false where neither works, with `PATH: what is wrong, and what to do` in why_r, and where
 * it was ended, with "". Instances that could not be read for other reasons say so in the survey.
 */
bool source_take(const struct settings *settings, enum survey_detail detail,
                 bool (*is_over)(void *arg), void *arg, struct survey *survey_r,
                 char why_r[SOURCE_WHY_SIZE]) PEG_MUST_USE;

/* Whether it is taken here, as the rights of this process are now. */
bool source_is_here(const struct settings *settings) PEG_MUST_USE;

#endif
