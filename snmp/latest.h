/*
 * latest - the survey of the latest round, for threads that answer from it
 *
 * One thread publishes, others read; a lock is held for the exchange of a pointer only, and never
 * while queues are read. A survey that somebody got stays as it is until it is put back.
 */
#ifndef PEG_LATEST_H
#define PEG_LATEST_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "survey/monitored.h"
#include "survey/survey.h"

struct latest;

/* A survey, and when each part that it looks at entered its state. Shared: nobody changes it. */
struct latest_survey {
    struct survey survey;
    int64_t changed_ms[MONITORED_COUNT]; /* see latest_changed_ms() */
    int references;                      /* of snmp/latest.c */
};

/* One without a survey; NULL: out of memory. */
struct latest *latest_new(void) PEG_MUST_USE;

/* What was got from it must have been put back. */
void latest_free(struct latest **latest);

/* Put a copy of survey in the place of the one before. Returns false, with no change, where memory
 * is out. */
bool latest_publish(struct latest *latest, const struct survey *survey) PEG_MUST_USE;

/* The latest one, for latest_put(); NULL: there is none yet. */
struct latest_survey *latest_get(struct latest *latest) PEG_MUST_USE;
void latest_put(struct latest *latest, struct latest_survey **survey);

/*
 * When a part (survey/monitored.h) came up or went down, as far as surveys tell, in ms of
 * CLOCK_REALTIME; 0: not known.
 */
int64_t latest_changed_ms(const struct latest_survey *latest, int number) PEG_MUST_USE;

#endif
