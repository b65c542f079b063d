/* prom_gateway - the metrics of a gateway as a whole: its daemons, decisions, journal */
#ifndef PEG_PROM_GATEWAY_H
#define PEG_PROM_GATEWAY_H

#include "metrics/prom_out.h"
#include "metrics/prom_text.h"

void prom_gateway(const struct prom_view *view, struct prom_out *out);

#endif
