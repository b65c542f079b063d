/*
 * verdict - what peg-gen doctor found, a line each on stdout: `ok`, `warning` or `FAILED`, what it
 * is about, and what was found and what to do
 */
#ifndef PEG_DOCTOR_VERDICT_H
#define PEG_DOCTOR_VERDICT_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/diag.h"

enum verdict { VERDICT_OK, VERDICT_WARNING, VERDICT_FAILED };

struct verdicts {
    unsigned counts[VERDICT_FAILED + 1];
};

/* Print one line, and count it. */
void verdict_say(struct verdicts *verdicts, enum verdict verdict, const char *about,
                 const char *fmt, ...) PEG_PRINTF(4, 5);

/* A diag whose errors are FAILED and whose warnings are warning; it borrows verdicts. */
struct diag verdict_diag(struct verdicts *verdicts);

#endif
