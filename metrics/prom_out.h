/* prom_out - samples of metrics as text, each metric's HELP and TYPE before its first one */
#ifndef PEG_PROM_OUT_H
#define PEG_PROM_OUT_H

#include <stdint.h>
#include <stdio.h>

enum prom_type { PROM_GAUGE, PROM_COUNTER };

struct prom_metric {
    const char *name;
    enum prom_type type;
    const char *help; /* without backslash and newline */
};

struct prom_out {
    FILE *file;
    const char *name; /* of the last metric; NULL before the first */
};

struct prom_number {
    uint64_t whole;
    unsigned thousandths; /* below 1000 */
};

struct prom_number prom_whole(uint64_t whole);

/* Milliseconds, not below 0, as seconds. */
struct prom_number prom_seconds(int64_t ms);

/* Write a sample; labels as they stand between braces, "" for none. The samples of a metric follow
 * each other. */
void prom_out_sample(struct prom_out *out, const struct prom_metric *metric, const char *labels,
                     struct prom_number number);

#endif
