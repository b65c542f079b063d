/*
 * check - is all there that the gateway needs, and does it fit together?
 *
 * Errors go to diag, and so do warnings, which stop nothing.
 */
#ifndef PEG_GEN_CHECK_H
#define PEG_GEN_CHECK_H

#include "gen/work.h"
#include "lib/diag.h"
#include "lib/settings.h"

/* Whether the packets of DSCP_CLASS can be marked, where any are to be. */
void check_dscp(const struct settings *settings, struct diag *diag);

/* What can be known from the settings and the system alone: to be called before work_prepare(). */
void check_system(const struct settings *settings, struct diag *diag);

/*
 * What depends on the folders that are there. may_wait and drain: see gone_check(). Returns the
 * number of warnings.
 */
unsigned check_work(const struct work *work, bool may_wait, bool drain, struct diag *diag);

/* Whether peg-bounce and the bounce commands can be run. */
void check_bounce(const struct settings *settings, struct diag *diag);

#endif
