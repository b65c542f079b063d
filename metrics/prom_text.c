/* prom_text - a survey and what the daemons have counted, as metrics for Prometheus */
#include "metrics/prom_text.h"

#include <stdio.h>
#include <stdlib.h>

#include "metrics/prom_gateway.h"
#include "metrics/prom_out.h"
#include "metrics/prom_postfix.h"

char *prom_text_make(const struct prom_view *view, size_t *len_r)
{
    struct prom_out out = {.name = NULL};
    char *text = NULL;
    size_t len = 0;

    out.file = open_memstream(&text, &len);
    if (out.file == NULL)
        return NULL;
    prom_gateway(view, &out);
    prom_postfix(view, &out);
    fputs("# EOF\n", out.file);
    if (fclose(out.file) != 0) {
        free(text);
        return NULL;
    }
    *len_r = len;
    return text;
}
