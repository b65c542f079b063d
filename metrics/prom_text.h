/*
 * prom_text - a survey and what the daemons have counted, as metrics for Prometheus
 *
 * Pure. The text exposition format 0.0.4, as node_exporter's textfile collector reads it; it ends
 * in `# EOF`, and differs from OpenMetrics 1.0 only where the two contradict each other: the HELP
 * and TYPE of a counter name it with its suffix `_total`. docs/metrics.md lists all metrics.
 *
 * Every label stands at each of a metric's samples, empty where it says nothing. Each Postfix has a
 * label `postfix`, since Prometheus itself calls the host that it asks `instance`. What is not
 * known has no sample.
 */
#ifndef PEG_PROM_TEXT_H
#define PEG_PROM_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/settings.h"
#include "metrics/tallies.h"
#include "survey/survey.h"

/* What the text is about. */
struct prom_view {
    const struct settings *settings;
    const struct survey *survey;
    const struct tallies *tallies;
    int64_t duration_ms; /* that looking has taken */
};

/* Make the text, to be freed, with its length. NULL: out of memory. */
char *prom_text_make(const struct prom_view *view, size_t *len_r) PEG_MUST_USE;

#endif
