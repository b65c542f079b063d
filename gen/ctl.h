/* ctl - the commands of peg-ctl: start, stop, restart, reload and status */
#ifndef PEG_GEN_CTL_H
#define PEG_GEN_CTL_H

#include "lib/attr.h"
#include "lib/options.h"

/*
 * Carry out a command for the parts named (names, NULL at the end), or for all where none is.
 * Everything is printed. Returns the exit status; ends the program on wrong usage.
 */
int ctl_run(const struct options *options, const char *command, char *const names[]) PEG_MUST_USE;

#endif
