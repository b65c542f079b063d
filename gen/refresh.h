/* refresh - make a running gateway take its changed configuration over */
#ifndef PEG_GEN_REFRESH_H
#define PEG_GEN_REFRESH_H

#include <stdbool.h>

#include "gen/work.h"
#include "lib/attr.h"

/*
 * Before work_carry_out(): note what running processes will have to take over, and stop what must
 * not run meanwhile. False after an error on stderr.
 */
bool refresh_before(const struct work *work) PEG_MUST_USE;

/* After an error: say on stderr what was stopped, here or by an earlier run, and is still. */
void refresh_report_stopped(const struct work *work);

/*
 * After work_carry_out(), where the gateway runs: start what is new or was stopped, reload what has
 * changed, listeners included (master(8)), and restart those of our daemons that a reload does not
 * serve. The same for what an earlier run left undone, since it failed or restart was false. Where
 * the gateway is stopped, or restart is false, say what to do instead. False after an error on
 * stderr.
 */
bool refresh(const struct work *work, bool restart) PEG_MUST_USE;

#endif
