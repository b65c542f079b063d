/* config_line - where a parameter stands, for reports about values that are right in themselves */
#include "gen/config_line.h"

#include <stdlib.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/file.h"

enum { FILE_SIZE_MAX = 1 << 20 };

/* The file was read without a report before, when the settings were made. */
static void emit_nothing(void *arg, const char *text)
{
    (void)arg;
    (void)text;
}

unsigned config_line(const struct settings *settings, const char *name)
{
    struct diag diag = {.emit = emit_nothing};
    unsigned line = 0;
    size_t len;
    char *text = file_read(settings->file, FILE_SIZE_MAX, &len);
    struct conf *conf = text != NULL ? conf_parse(text, len, settings->file, &diag) : NULL;

    for (size_t i = 0; conf != NULL && i < conf->count; i++)
        if (strcmp(conf->entries[i].name, name) == 0)
            line = conf->entries[i].line;
    conf_free(&conf);
    free(text);
    return line;
}
