/* nice - the nice level of a Postfix that runs: of its processes, and of their session */
#ifndef PEG_CTL_NICE_H
#define PEG_CTL_NICE_H

#include <stdbool.h>

#include "admin/part.h"
#include "lib/attr.h"

/* Whether its processes or their session have another level than they should. */
bool nice_differs(const struct part *part) PEG_MUST_USE;

/*
 * Set the level of all processes of a Postfix that runs; one that peg-ctl starts has it from its
 * start. Returns false after an error on stderr.
 */
bool nice_set_processes(const struct part *part) PEG_MUST_USE;

/*
 * Set the level of the sessions of those parts that are a Postfix. What was started serves without
 * it as well: one warning on stderr says what to do.
 */
void nice_set_sessions(const struct selection *selection);

#endif
