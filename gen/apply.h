/* apply - the commands of peg-gen: check, diff and apply */
#ifndef PEG_GEN_APPLY_H
#define PEG_GEN_APPLY_H

#include <stdbool.h>

#include "lib/attr.h"

enum apply_command { APPLY_CHECK, APPLY_DIFF, APPLY_APPLY };

struct apply_options {
    enum apply_command command;
    bool restart; /* running processes take the changes over */
    bool drain;   /* instances that are to be removed may have mail, and get time to deliver it */
    int drain_s;
};

/*
 * Carry out a command for the gateway below root ("" for the system's). Everything is printed.
 * Returns the exit status; after any error in the settings, or anything else that check finds,
 * nothing was changed.
 */
int apply_run(const char *root, const struct apply_options *options) PEG_MUST_USE;

#endif
