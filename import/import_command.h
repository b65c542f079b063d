/* import_command - the command peg-gen import-rules */
#ifndef PEG_IMPORT_IMPORT_COMMAND_H
#define PEG_IMPORT_IMPORT_COMMAND_H

#include "lib/attr.h"

/*
 * Print the original's rule file `file` as our rules file; what cannot be converted is reported to
 * stderr. Where the gateway below root has a configuration, its PRIORITY_COUNT is minded. Returns
 * the exit status.
 */
int import_command_run(const char *root, const char *file) PEG_MUST_USE;

#endif
