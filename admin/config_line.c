/* config_line - where a parameter stands, for reports about values that are right in themselves */
#include "admin/config_line.h"

#include <stdlib.h>
#include <string.h>

#include "admin/mem.h"
#include "lib/conf.h"
#include "lib/file.h"

enum { FILE_SIZE_MAX = 1 << 20 };

/* The file was read without a report before, when the settings were made. */
static void emit_nothing(void *arg, const char *text)
{
    (void)arg;
    (void)text;
}

enum { ANY_INDEX = -2, NO_INDEX = -1 };

static unsigned find_line(const struct settings *settings, const char *name, int index)
{
    struct diag diag = {.emit = emit_nothing};
    unsigned line = 0;
    size_t len;
    char *text = file_read(settings->file, FILE_SIZE_MAX, &len);
    struct conf *conf = text != NULL ? conf_parse(text, len, settings->file, &diag) : NULL;

    for (size_t i = 0; conf != NULL && i < conf->count; i++)
        if (strcmp(conf->entries[i].name, name) == 0 &&
            (index == ANY_INDEX || conf->entries[i].index == index))
            line = conf->entries[i].line;
    conf_free(&conf);
    free(text);
    return line;
}

unsigned config_line(const struct settings *settings, const char *name)
{
    return find_line(settings, name, ANY_INDEX);
}

unsigned config_line_of_instance(const struct settings *settings, const char *name, int instance)
{
    bool is_frontend = settings_is_frontend(instance);
    char *of_kind = mem_printf("%s%s", name, is_frontend ? "_FRONTEND" : "_DEFAULT");
    char *of_urgent = mem_printf("%s_URGENT", name);
    unsigned line = is_frontend ? 0 : find_line(settings, name, instance);

    if (instance == PEG_URGENT)
        line = find_line(settings, of_urgent, NO_INDEX);
    if (line == 0)
        line = find_line(settings, of_kind, NO_INDEX);
    free(of_kind);
    free(of_urgent);
    return line;
}
