/* report - a diag that keeps its reports as text, a line each, for comparing */
#ifndef PEG_UNIT_REPORT_H
#define PEG_UNIT_REPORT_H

#include <stdio.h>
#include <string.h>

#include "lib/diag.h"

struct report {
    struct diag diag;
    char text[16384];
};

static inline void report_emit(void *arg, const char *text)
{
    struct report *report = arg;
    size_t used = strlen(report->text);

    snprintf(report->text + used, sizeof report->text - used, "%s\n", text);
}

static inline void report_init(struct report *report)
{
    *report = (struct report){.diag = {.emit = report_emit, .arg = report}};
}

#endif
