/*
 * limits - what a queue of a survey may hold: QUEUE_LIMIT and QUEUE_AGE_LIMIT
 *
 * Pure. A queue that was over its limit is over it until it has come down to nine tenths of it:
 * one that goes up and down around its limit is one trouble, not many.
 */
#ifndef PEG_LIMITS_H
#define PEG_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/settings.h"
#include "survey/survey.h"

enum limit {
    LIMIT_MESSAGES, /* QUEUE_LIMIT, messages */
    LIMIT_AGE,      /* QUEUE_AGE_LIMIT, seconds since the arrival of the oldest one */
    LIMIT_COUNT
};

/* The parameter that sets it, without suffix. */
const char *limits_name(enum limit limit) PEG_MUST_USE;

/* What it is for the queues of a Postfix; 0: there is none. */
int64_t limits_get(const struct settings *settings, int instance, enum limit limit) PEG_MUST_USE;

/*
 * What a queue of a survey has of it: messages, or whole seconds when the survey was taken; 0 where
 * it is empty. The age is known with SURVEY_DETAILS alone.
 */
int64_t limits_value(const struct survey *survey, const struct survey_queue *queue,
                     enum limit limit) PEG_MUST_USE;

/* Whether value is over a limit; was_over: so it was the last time. A limit of 0 is none. */
bool limits_is_over(int64_t value, int64_t limit, bool was_over) PEG_MUST_USE;

#endif
