/* watch_pace - when peg-showqueues --watch looks again, and how closely */
#include "showqueues/watch_pace.h"

enum { REST = 3, DETAILS_REST = 9 /* times as long as it took */ };

enum survey_detail watch_pace_detail(const struct watch_pace *pace, int64_t now_ms)
{
    bool is_due = !pace->has_details || now_ms >= pace->details_due_ms;

    return pace->due_ms != 0 && is_due ? SURVEY_DETAILS : SURVEY_COUNTS;
}

void watch_pace_took(struct watch_pace *pace, enum survey_detail detail, int64_t began_ms,
                     int64_t ended_ms)
{
    int64_t cost_ms = ended_ms - began_ms;
    int64_t rested_ms = ended_ms;

    if (detail == SURVEY_DETAILS) {
        pace->has_details = true;
        pace->details_due_ms = ended_ms + DETAILS_REST * cost_ms;
    } else {
        rested_ms += REST * cost_ms;
    }
    pace->due_ms = began_ms + pace->interval_ms;
    if (!pace->has_details)
        pace->due_ms = ended_ms;
    else if (pace->due_ms < rested_ms)
        pace->due_ms = rested_ms;
}
