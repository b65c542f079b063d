/*
 * doctor - peg-gen doctor: is everything right with a gateway that runs, and does mail flow by
 * every priority?
 *
 * Nothing is changed, and everything has a time limit: what hangs is a finding.
 */
#ifndef PEG_DOCTOR_DOCTOR_H
#define PEG_DOCTOR_DOCTOR_H

#include "lib/attr.h"

/*
 * Examine the gateway below root: the checks of peg-gen check, then what runs, then a probe through
 * every priority. A line for each thing on stdout (doctor/verdict.h). Returns the exit status.
 */
int doctor_run(const char *root) PEG_MUST_USE;

#endif
