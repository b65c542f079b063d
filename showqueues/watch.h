/*
 * watch - peg-showqueues --watch: the queues as they are now, again and again
 *
 * On a terminal the view takes the whole screen, until q or a signal that ends programs; elsewhere
 * it is a block of lines each time, until nobody reads them any more.
 */
#ifndef PEG_WATCH_H
#define PEG_WATCH_H

#include <stdbool.h>

#include "lib/attr.h"
#include "survey/survey.h"

enum { WATCH_WHY_SIZE = 1024, WATCH_INTERVAL_S = 2, WATCH_INTERVAL_MAX_S = 86400 };

/* Where surveys come from. */
struct watch_source {
    /*
     * Take a survey, with flows. Returns false where is_over(over_arg) ended it, with "" in why_r,
     * or where it cannot be had, with the reason.
     */
    bool (*take)(void *arg, enum survey_detail detail, bool (*is_over)(void *over_arg),
                 void *over_arg, struct survey *survey_r, char why_r[WATCH_WHY_SIZE]);
    int fd; /* FLOW_WAIT_MS after it is readable drain() is wanted; -1: never */
    void (*drain)(void *arg);
    void *arg; /* of both */
};

/*
 * Show a survey every interval_s seconds, or less often where that would be a load. Takes over
 * signals and the terminal, and gives back the latter. Returns the exit status of the process,
 * after telling why on standard error where it is a failure.
 */
int watch_run(const struct watch_source *source, const char *program, int interval_s) PEG_MUST_USE;

#endif
