/* gone - instances that PRIORITY_COUNT no longer includes: may they go, and stop them */
#ifndef PEG_GEN_GONE_H
#define PEG_GEN_GONE_H

#include <stdbool.h>

#include "gen/work.h"
#include "lib/attr.h"
#include "lib/diag.h"

/*
 * Report each of them that still has mail in its queue, since nobody would deliver it any more; and
 * the frontend's queue where instances go or move to other ports, since mail in it may be bound for
 * them.
 */
void gone_check(const struct work *work, struct diag *diag);

/* Stop those that run. False after an error on stderr. */
bool gone_stop(const struct work *work) PEG_MUST_USE;

#endif
