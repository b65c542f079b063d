/* prom_file - peg.prom in MONITORING_DIR, for node_exporter's textfile collector */
#include "metrics/prom_file.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/file.h"

bool prom_file_write(int dir_fd, const struct prom_view *view)
{
    size_t len = 0;
    char *text = prom_text_make(view, &len);
    bool done = text != NULL && file_replace_at(dir_fd, PROM_FILE, text, len, 0644);
    int error = text != NULL ? errno : ENOMEM;

    if (!done)
        prom_file_remove(dir_fd);
    free(text);
    errno = error;
    return done;
}

void prom_file_remove(int dir_fd)
{
    unlinkat(dir_fd, PROM_FILE, 0);
}
