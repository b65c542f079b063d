/* rules_check - is the rules file one that peg-milter would take? */
#ifndef PEG_CTL_RULES_CHECK_H
#define PEG_CTL_RULES_CHECK_H

#include "lib/diag.h"
#include "lib/settings.h"

/* Read the rules file as peg-milter reads it, and report every problem. */
void rules_check(const struct settings *settings, struct diag *diag);

#endif
