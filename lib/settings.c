/*
 * settings - the parameters of /etc/priority-email-gateway.conf, checked and typed
 *
 * Reading goes in three steps: conf.c splits the file into assignments; each is checked against its
 * row in settings_table.c and stored; what depends on several parameters comes last.
 */
#include "lib/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/file.h"
#include "lib/settings_table.h"
#include "lib/settings_values.h"

enum { FILE_SIZE_MAX = 1 << 20, PORT_MAX = 65535 };

/* What is known while a file is read. */
struct reading {
    struct settings *settings;
    struct diag *diag;
    unsigned line[SETTINGS_PARAMETER_COUNT]; /* of the last assignment; 0: the default stands */
    bool bad[SETTINGS_PARAMETER_COUNT];      /* reported, so that further checks would mislead */
    struct settings_instance of_default;     /* NAME_DEFAULT */
    bool own[SETTINGS_PARAMETER_COUNT][SETTINGS_PRIORITY_MAX]; /* NAME[n] was given */
};

static size_t row(const char *name)
{
    return (size_t)(settings_table_find(name) - settings_parameters);
}

/* NAME, or NAME[n], for reports. */
static void spell(const struct conf_entry *e, char name_r[SETTINGS_NEAREST_SIZE])
{
    if (e->index >= 0)
        snprintf(name_r, SETTINGS_NEAREST_SIZE, "%.40s[%d]", e->name, e->index);
    else
        snprintf(name_r, SETTINGS_NEAREST_SIZE, "%.60s", e->name);
}

static void report_value(struct reading *in, const struct settings_parameter *p,
                         const struct conf_entry *e)
{
    char name[SETTINGS_NEAREST_SIZE];
    char needed[SETTINGS_NEEDED_SIZE];

    spell(e, name);
    settings_table_needed(p, needed);
    diag_error(in->diag, in->settings->file, e->line, "%s = \"%s\": %s is needed", name, e->value,
               needed);
    in->bad[p - settings_parameters] = true;
}

static void report_unknown(struct reading *in, const struct conf_entry *e)
{
    char name[SETTINGS_NEAREST_SIZE];
    char nearest[SETTINGS_NEAREST_SIZE];

    spell(e, name);
    settings_table_nearest(e->name, nearest);
    if (nearest[0] != '\0')
        diag_error(in->diag, in->settings->file, e->line,
                   "there is no parameter %s; did you mean %s?", name, nearest);
    else
        diag_error(in->diag, in->settings->file, e->line, "there is no parameter %s", name);
}

/* Store NAME=value of a parameter that has one value. */
static void take_plain(struct reading *in, const struct settings_parameter *p,
                       const struct conf_entry *e)
{
    if (e->index >= 0) {
        diag_error(in->diag, in->settings->file, e->line, "%s takes no [%d]", e->name, e->index);
        return;
    }
    in->line[p - settings_parameters] = e->line;
    if (!settings_table_store(p, in->settings, e->value))
        report_value(in, p, e);
}

/* Whether the [n] of an entry is that of an instance; reports where it is not. */
static bool check_index(struct reading *in, const struct conf_entry *e)
{
    /* After a wrong PRIORITY_COUNT the largest is assumed. */
    int count =
        in->bad[row("PRIORITY_COUNT")] ? SETTINGS_PRIORITY_MAX : in->settings->priority_count;

    if (e->index < count)
        return true;
    diag_error(in->diag, in->settings->file, e->line,
               "%s[%d]: there are %d priorities (PRIORITY_COUNT), so [0] to [%d] can be set",
               e->name, e->index, count, count - 1);
    return false;
}

/* Store NAME[n]=value, NAME_FRONTEND=value or NAME_DEFAULT=value; suffix is what follows NAME. */
static void take_suffixed(struct reading *in, const struct settings_parameter *p,
                          const struct conf_entry *e, const char *suffix)
{
    struct settings_instance *place = NULL;

    if (e->index < 0 && strcmp(suffix, "_FRONTEND") == 0) {
        place = &in->settings->frontend;
    } else if (e->index < 0 && strcmp(suffix, "_DEFAULT") == 0) {
        place = &in->of_default;
    } else if (e->index >= 0 && suffix[0] == '\0') {
        if (!check_index(in, e))
            return;
        in->own[p - settings_parameters][e->index] = true;
        place = &in->settings->instance[e->index];
    } else {
        diag_error(in->diag, in->settings->file, e->line,
                   "%s is set as %s_FRONTEND, %s_DEFAULT or, for instance n, %s[n]", p->name,
                   p->name, p->name, p->name);
        return;
    }
    if (!settings_table_store(p, place, e->value))
        report_value(in, p, e);
}

/* The suffixed parameter that e names, and what follows its name; NULL where it names none. */
static const struct settings_parameter *find_suffixed(const struct conf_entry *e,
                                                      const char **suffix_r)
{
    for (size_t i = 0; i < SETTINGS_PARAMETER_COUNT; i++) {
        const struct settings_parameter *p = &settings_parameters[i];
        size_t len = strlen(p->name);

        if (!p->suffixed || strncmp(e->name, p->name, len) != 0)
            continue;
        *suffix_r = e->name + len;
        if (**suffix_r == '\0' || strcmp(*suffix_r, "_FRONTEND") == 0 ||
            strcmp(*suffix_r, "_DEFAULT") == 0)
            return p;
    }
    return NULL;
}

/* A suffix on a parameter that has one value deserves more than "there is no such parameter". */
static bool report_needless_suffix(struct reading *in, const struct conf_entry *e)
{
    static const char *const suffixes[] = {"_FRONTEND", "_DEFAULT"};
    char name[SETTINGS_NEAREST_SIZE];

    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(e->name);
        size_t suffix_len = strlen(suffixes[i]);

        if (len <= suffix_len || len >= sizeof name ||
            strcmp(e->name + len - suffix_len, suffixes[i]) != 0)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(len - suffix_len), e->name);
        if (settings_table_find(name) == NULL)
            continue;
        diag_error(in->diag, in->settings->file, e->line, "%s takes no suffix %s", name,
                   suffixes[i]);
        return true;
    }
    return false;
}

static void take_entry(struct reading *in, const struct conf_entry *e)
{
    const struct settings_parameter *p = settings_table_find(e->name);
    const char *suffix;

    if (p != NULL && !p->suffixed)
        take_plain(in, p, e);
    else if ((p = find_suffixed(e, &suffix)) != NULL)
        take_suffixed(in, p, e, suffix);
    else if (!report_needless_suffix(in, e))
        report_unknown(in, e);
}

/* PRIORITY_COUNT goes first: it decides which [n] there are. */
static void take_entries(struct reading *in, const struct conf *conf)
{
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < conf->count; i++)
            if ((strcmp(conf->entries[i].name, "PRIORITY_COUNT") == 0) == (pass == 0))
                take_entry(in, &conf->entries[i]);
}

static bool store_defaults(struct reading *in)
{
    struct settings *settings = in->settings;

    for (size_t i = 0; i < SETTINGS_PARAMETER_COUNT; i++) {
        const struct settings_parameter *p = &settings_parameters[i];

        if (p->fallback == NULL)
            continue;
        if (!p->suffixed && !settings_table_store(p, settings, p->fallback))
            return false;
        if (p->suffixed && (!settings_table_store(p, &in->of_default, p->fallback) ||
                            !settings_table_store(p, &settings->frontend, p->fallback)))
            return false;
    }
    /* nobody needs no installation, so that a gateway under --root can be tried at once. */
    return settings_table_store(settings_table_find("DAEMON_USER"), settings,
                                settings->root[0] != '\0' ? "nobody" : "peg");
}

/* Give each instance without a value of its own the one of NAME_DEFAULT. */
static void spread_defaults(struct reading *in)
{
    for (int n = 0; n < in->settings->priority_count; n++)
        if (!in->own[row("NICE_LEVEL")][n])
            in->settings->instance[n].nice_level = in->of_default.nice_level;
}

/* The line to name where two parameters do not go together: the last of those that were set. */
static unsigned line_of(const struct reading *in, const char *a, const char *b)
{
    unsigned line_a = in->line[row(a)];
    unsigned line_b = in->line[row(b)];

    return line_a > line_b ? line_a : line_b;
}

static void check_default_priority(struct reading *in)
{
    struct settings *settings = in->settings;
    unsigned line = in->line[row("DEFAULT_PRIORITY")];
    int highest = settings->priority_count - 1;

    if (in->bad[row("PRIORITY_COUNT")] || in->bad[row("DEFAULT_PRIORITY")])
        return;
    if (line == 0)
        settings->default_priority = highest < 2 ? highest : 2;
    else if (settings->default_priority > highest)
        diag_error(in->diag, settings->file, line,
                   "DEFAULT_PRIORITY = \"%d\": a whole number from 0 to %d is needed, since "
                   "PRIORITY_COUNT is %d",
                   settings->default_priority, highest, settings->priority_count);
}

/* Report where port belongs to an instance. */
static void check_port(struct reading *in, const char *parameter, int port)
{
    struct settings *settings = in->settings;
    int first = settings->instance_port_base;
    int last = first + settings->priority_count - 1;

    if (port >= first && port <= last)
        diag_error(in->diag, settings->file, line_of(in, parameter, "INSTANCE_PORT_BASE"),
                   "%s: port %d is among those of the instances, %d to %d (INSTANCE_PORT_BASE)",
                   parameter, port, first, last);
}

static void check_ports(struct reading *in)
{
    struct settings *settings = in->settings;
    unsigned line = line_of(in, "INSTANCE_PORT_BASE", "PRIORITY_COUNT");

    if (in->bad[row("INSTANCE_PORT_BASE")] || in->bad[row("PRIORITY_COUNT")])
        return;
    if (settings->instance_port_base > PORT_MAX - settings->priority_count) {
        diag_error(in->diag, settings->file, line,
                   "INSTANCE_PORT_BASE = \"%d\": with %d priorities at most %d is possible",
                   settings->instance_port_base, settings->priority_count,
                   PORT_MAX - settings->priority_count);
        return;
    }
    if (!in->bad[row("TCPMAP_LISTEN")])
        check_port(in, "TCPMAP_LISTEN", settings->tcpmap_port);
    for (char **service = settings->frontend_listen; *service != NULL; service++) {
        int port = settings_value_inet_port(*service);

        if (in->bad[row("FRONTEND_LISTEN")])
            return;
        check_port(in, "FRONTEND_LISTEN", port);
        if (!in->bad[row("TCPMAP_LISTEN")] && port == settings->tcpmap_port)
            diag_error(in->diag, settings->file, line_of(in, "FRONTEND_LISTEN", "TCPMAP_LISTEN"),
                       "FRONTEND_LISTEN: port %d is that of TCPMAP_LISTEN", port);
    }
}

struct settings *settings_parse(const char *root, const char *text, size_t text_len,
                                const char *file, struct diag *diag)
{
    unsigned errors_before = diag->errors;
    struct settings *settings = calloc(1, sizeof *settings);
    struct reading in = {.settings = settings, .diag = diag};
    struct conf *conf;

    if (settings != NULL) {
        settings->root = strdup(root);
        settings->file = strdup(file);
    }
    if (settings == NULL || settings->root == NULL || settings->file == NULL ||
        !store_defaults(&in)) {
        diag_error(diag, file, 0, "out of memory");
        settings_free(&settings);
        return NULL;
    }
    conf = conf_parse(text, text_len, file, diag);
    if (conf != NULL) {
        take_entries(&in, conf);
        spread_defaults(&in);
        check_default_priority(&in);
        check_ports(&in);
        conf_free(&conf);
    }
    if (diag->errors != errors_before)
        settings_free(&settings);
    return settings;
}

struct settings *settings_load(const char *root, struct diag *diag)
{
    char path[PATH_MAX];
    size_t len;
    int path_len = snprintf(path, sizeof path, "%s%s", root, SETTINGS_CONF_FILE);

    if (path_len < 0 || (size_t)path_len >= sizeof path) {
        diag_error(diag, root, 0, "the name of this folder is too long");
        return NULL;
    }
    char *text = file_read(path, FILE_SIZE_MAX, &len);

    if (text == NULL) {
        diag_error(diag, path, 0, "cannot be read: %s%s", strerror(errno),
                   errno == ENOENT ? "; put a copy of the shipped priority-email-gateway.conf there"
                                   : "");
        return NULL;
    }
    struct settings *settings = settings_parse(root, text, len, path, diag);

    free(text);
    return settings;
}

void settings_free(struct settings **settings)
{
    struct settings *s = *settings;

    if (s == NULL)
        return;
    free(s->root);
    free(s->file);
    free(s->relay_host);
    settings_table_free_list(s->frontend_listen);
    free(s->tcpmap_host);
    free(s->daemon_user);
    free(s);
    *settings = NULL;
}
