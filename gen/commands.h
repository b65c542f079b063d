/* commands - the command line of peg-gen, when the common options are read */
#ifndef PEG_GEN_COMMANDS_H
#define PEG_GEN_COMMANDS_H

#include "gen/apply.h"
#include "lib/attr.h"
#include "lib/options.h"

/* Note --drain[=SECONDS]; argument is NULL where there is none. Wrong usage ends the program. */
void commands_take_drain(const struct options *options, const char *argument,
                         struct apply_options *apply);

/*
 * Carry out the command that words name, NULL at their end. apply is what --no-restart and --drain
 * have said. Returns the exit status; wrong usage ends the program.
 */
int commands_run(const struct options *options, struct apply_options *apply,
                 char *const words[]) PEG_MUST_USE;

#endif
