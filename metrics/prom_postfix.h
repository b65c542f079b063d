/* prom_postfix - the metrics of each Postfix of a gateway, and of its queues */
#ifndef PEG_PROM_POSTFIX_H
#define PEG_PROM_POSTFIX_H

#include "metrics/prom_out.h"
#include "metrics/prom_text.h"

void prom_postfix(const struct prom_view *view, struct prom_out *out);

#endif
