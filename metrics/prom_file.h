/*
 * prom_file - peg.prom in MONITORING_DIR, for node_exporter's textfile collector
 *
 * Replaced at once, and never left old: where it cannot be written it is removed.
 *
 * Not for concurrent use on one folder.
 */
#ifndef PEG_PROM_FILE_H
#define PEG_PROM_FILE_H

#include <stdbool.h>

#include "lib/attr.h"
#include "metrics/prom_text.h"

#define PROM_FILE "peg.prom"

/* false with errno; there is no file then. */
bool prom_file_write(int dir_fd, const struct prom_view *view) PEG_MUST_USE;

void prom_file_remove(int dir_fd);

#endif
