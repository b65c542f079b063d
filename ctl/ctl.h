/* ctl - the commands of peg-ctl: start, stop, restart, reload, status, and those of our units */
#ifndef PEG_CTL_CTL_H
#define PEG_CTL_CTL_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/options.h"

/*
 * Carry out a command for the parts named (names, NULL at the end), or for all where none is.
 * directly: without asking systemd for it, even where it runs the gateway. Everything is printed.
 * Returns the exit status; ends the program on wrong usage.
 */
int ctl_run(const struct options *options, const char *command, char *const names[],
            bool directly) PEG_MUST_USE;

#endif
