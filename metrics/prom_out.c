/* prom_out - samples of metrics as text */
#include "metrics/prom_out.h"

#include <inttypes.h>
#include <string.h>

struct prom_number prom_whole(uint64_t whole)
{
    return (struct prom_number){.whole = whole};
}

struct prom_number prom_seconds(int64_t ms)
{
    return ms < 0 ? prom_whole(0)
                  : (struct prom_number){(uint64_t)ms / 1000, (unsigned)((uint64_t)ms % 1000)};
}

void prom_out_sample(struct prom_out *out, const struct prom_metric *metric, const char *labels,
                     struct prom_number number)
{
    static const char *const types[] = {[PROM_GAUGE] = "gauge", [PROM_COUNTER] = "counter"};

    if (out->name == NULL || strcmp(out->name, metric->name) != 0)
        fprintf(out->file, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
                types[metric->type]);
    out->name = metric->name;
    fputs(metric->name, out->file);
    if (labels[0] != '\0')
        fprintf(out->file, "{%s}", labels);
    fprintf(out->file, " %" PRIu64, number.whole);
    if (number.thousandths > 0)
        fprintf(out->file, ".%03u", number.thousandths);
    fputc('\n', out->file);
}
