/* apply - the commands of peg-gen: check, diff and apply */
#ifndef PEG_GEN_APPLY_H
#define PEG_GEN_APPLY_H

#include <stdbool.h>

#include "lib/attr.h"

enum apply_command { APPLY_CHECK, APPLY_DIFF, APPLY_APPLY };

/*
 * Carry out a command for the gateway below root ("" for the system's). restart: whether running
 * processes are to take the changes over. Everything is printed. Returns the exit status; after any
 * error in the settings, or anything else that check finds, nothing was changed.
 */
int apply_run(const char *root, enum apply_command command, bool restart) PEG_MUST_USE;

#endif
