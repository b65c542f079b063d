/*
 * cpu_share - how a Postfix that runs shares the processors: the nice level and the policy of its
 * processes, and the nice level of their session
 */
#ifndef PEG_CTL_CPU_SHARE_H
#define PEG_CTL_CPU_SHARE_H

#include <stdbool.h>

#include "admin/part.h"
#include "lib/attr.h"

/* Whether its processes or their session have another level or policy than they should. */
bool cpu_share_differs(const struct part *part) PEG_MUST_USE;

/*
 * Set the level and the policy of all processes of a Postfix that runs; one that peg-ctl starts has
 * them from its start. Returns false after an error on stderr.
 */
bool cpu_share_set_processes(const struct part *part) PEG_MUST_USE;

/*
 * Set the level of the sessions of those parts that are a Postfix. What was started serves without
 * it as well: one warning on stderr says what to do.
 */
void cpu_share_set_sessions(const struct selection *selection);

#endif
