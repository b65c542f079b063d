/* refresh - make a running gateway take its changed configuration over */
#ifndef PEG_GEN_REFRESH_H
#define PEG_GEN_REFRESH_H

#include <stdbool.h>

#include "gen/work.h"
#include "lib/attr.h"

/*
 * After work_carry_out(): reload what runs and has changed, and start instances that are new, where
 * the gateway runs. A reload is enough for all that peg-gen changes, listeners included
 * (master(8)). Where it is stopped, or restart is false, say what to do instead. False after an
 * error on stderr.
 */
bool refresh(const struct work *work, bool restart) PEG_MUST_USE;

#endif
