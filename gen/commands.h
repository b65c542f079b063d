/* commands - the command line of peg-gen, when the common options are read */
#ifndef PEG_GEN_COMMANDS_H
#define PEG_GEN_COMMANDS_H

#include "gen/apply.h"
#include "lib/attr.h"
#include "lib/options.h"

/*
 * Carry out the command that words name, NULL at their end. apply is what --no-restart and --drain
 * have said. Returns the exit status; wrong usage ends the program.
 */
int commands_run(const struct options *options, struct apply_options *apply,
                 char *const words[]) PEG_MUST_USE;

#endif
