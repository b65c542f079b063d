/* gone - Postfixes that the settings no longer have: may they go, and stop them */
#ifndef PEG_GEN_GONE_H
#define PEG_GEN_GONE_H

#include <stdbool.h>
#include <stdint.h>

#include "gen/work.h"
#include "lib/attr.h"
#include "lib/diag.h"

/*
 * Report each of them that still has mail in its queue, since nobody would deliver it any more; and
 * a frontend's queue where instances move to other ports, since mail in it may be bound for the old
 * ones. may_wait: instances are removed while the gateway runs (gen/retire.h), so that mail in
 * a frontend that is bound for them is no reason; drain: nor is mail in their own queues.
 */
void gone_check(const struct work *work, bool may_wait, bool drain, struct diag *diag);

/* How many messages those have in their queues; -1 after an error on stderr. */
int64_t gone_mail(const struct work *work) PEG_MUST_USE;

/* Stop those that run. False after an error on stderr. */
bool gone_stop(const struct work *work) PEG_MUST_USE;

/* Have a frontend among them take no more mail, as its folder says by now. As above. */
bool gone_close(const struct work *work) PEG_MUST_USE;

/* Start them again. False after an error on stderr. */
bool gone_start(const struct work *work) PEG_MUST_USE;

#endif
