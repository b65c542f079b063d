/*
 * fuzz_conf - any bytes as a configuration file
 *
 * Checks what must hold for every input: entries or reports, never both nor neither; names, indexes
 * and lines within bounds; and settings that were taken keep what their readers rely on.
 */
#include "lib/conf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void emit_nothing(void *arg, const char *text)
{
    (void)arg;
    check(strlen(text) > 0);
}

static void check_conf(const char *text, size_t len)
{
    struct diag diag = {.emit = emit_nothing};
    struct conf *conf = conf_parse(text, len, "f", &diag);
    unsigned line = 1;

    check(conf != NULL);
    for (size_t i = 0; conf != NULL && i < conf->count; i++) {
        const struct conf_entry *e = &conf->entries[i];

        check(e->name[0] != '\0' && strchr(e->name, '=') == NULL);
        check(e->index >= -1 && e->index <= 9999);
        check(e->line >= line && strlen(e->value) < len);
        line = e->line;
    }
    conf_free(&conf);
}

static void check_settings(const char *text, size_t len)
{
    struct diag diag = {.emit = emit_nothing};
    struct settings *settings = settings_parse("/r", text, len, "f", &diag);

    check((settings == NULL) == (diag.errors > 0));
    if (settings == NULL)
        return;
    check(settings->priority_count >= 2 && settings->priority_count <= SETTINGS_PRIORITY_MAX);
    check(settings->default_priority >= 0);
    check(settings->default_priority < settings->priority_count);
    check(settings->instance_port_base + settings->priority_count <= 65535);
    check(settings->frontend_listen[0] != NULL);
    check(settings->frontend.queue_run_delay_s >= 1);
    for (int n = 0; n < settings->priority_count; n++)
        check(abs(settings->instance[n].nice_level) <= 20);
    settings_free(&settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_conf((const char *)data, size);
    check_settings((const char *)data, size);
    return 0;
}
