/*
 * watch_pace - when peg-showqueues --watch looks again, and how closely
 *
 * To read the heads of a million queue files takes seconds, and to count them one or two; a view
 * must not be what the machine is busy with. Counts are a quarter of the time at most, details
 * a tenth. The first look is for counts, so that there is something to see, and details follow it.
 *
 * Pure. Times are those of one clock, in milliseconds.
 */
#ifndef PEG_WATCH_PACE_H
#define PEG_WATCH_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "survey/survey.h"

struct watch_pace {
    int64_t interval_ms; /* that is wanted */
    int64_t due_ms;      /* the next look; zero bytes but for interval_ms are the beginning */
    bool has_details;
    int64_t details_due_ms;
};

enum survey_detail watch_pace_detail(const struct watch_pace *pace, int64_t now_ms) PEG_MUST_USE;

/* A look was taken. */
void watch_pace_took(struct watch_pace *pace, enum survey_detail detail, int64_t began_ms,
                     int64_t ended_ms);

#endif
