/*
 * settings - the parameters of /etc/priority-email-gateway.conf, checked and typed
 *
 * Reading goes in three steps: conf.c splits the file into assignments; each is checked against its
 * row in settings_table.c and stored; what depends on several parameters comes last, in
 * settings_check.c.
 */
#include "lib/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/command.h"
#include "lib/conf.h"
#include "lib/file.h"
#include "lib/settings_reading.h"

enum { FILE_SIZE_MAX = 1 << 20 };

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
    char why[COMMAND_WHY_SIZE];

    spell(e, name);
    settings_table_needed(p, needed);
    if (p->kind == KIND_COMMAND && !command_is_good(e->value, why))
        diag_error(in->diag, in->settings->file, e->line, "%s = \"%s\": %s", name, e->value, why);
    else
        diag_error(in->diag, in->settings->file, e->line, "%s = \"%s\": %s is needed", name,
                   e->value, needed);
    in->bad[settings_row_of(p)] = true;
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
    if (in->line[settings_row_of(p)] != 0 && strcmp(in->set_as[settings_row_of(p)], e->name) != 0)
        diag_error(in->diag, in->settings->file, e->line,
                   "%s is another name of %s in line %u; keep one of the two", e->name,
                   in->set_as[settings_row_of(p)], in->line[settings_row_of(p)]);
    in->line[settings_row_of(p)] = e->line;
    in->set_as[settings_row_of(p)] = e->name;
    if (!settings_table_store(p, in->settings, e->value))
        report_value(in, p, e);
}

/* Whether the [n] of an entry is that of an instance; reports where it is not. */
static bool check_index(struct reading *in, const struct conf_entry *e)
{
    /* After a wrong PRIORITY_COUNT, and where it may be missing, the largest is assumed. */
    bool unknown = in->incomplete || in->bad[settings_row("PRIORITY_COUNT")];
    int count = unknown ? SETTINGS_PRIORITY_MAX : in->settings->priority_count;

    if (e->index < count)
        return true;
    diag_error(in->diag, in->settings->file, e->line,
               "%s[%d]: there are %d priorities (PRIORITY_COUNT), so [0] to [%d] can be set",
               e->name, e->index, count, count - 1);
    return false;
}

static void report_suffix(struct reading *in, const struct settings_parameter *p,
                          const struct conf_entry *e)
{
    if (p->suffix == SUFFIX_INDEX)
        diag_error(in->diag, in->settings->file, e->line, "%s is set for instance n, as %s[n]",
                   p->name, p->name);
    else
        diag_error(in->diag, in->settings->file, e->line,
                   "%s is set as %s_FRONTEND, %s_URGENT, %s_DEFAULT or, for instance n, %s[n]",
                   p->name, p->name, p->name, p->name, p->name);
}

/* Store NAME[n]=value, or NAME_FRONTEND=value and its like; suffix is what follows NAME. */
static void take_suffixed(struct reading *in, const struct settings_parameter *p,
                          const struct conf_entry *e, const char *suffix)
{
    struct settings_instance *place = NULL;
    bool has_index = e->index >= 0 && suffix[0] == '\0';
    bool has_suffix = e->index < 0 && suffix[0] != '\0' && p->suffix == SUFFIX_ALL;

    if (has_index) {
        if (!check_index(in, e))
            return;
        in->own[settings_row_of(p)][e->index] = true;
        place = &in->settings->instance[e->index];
    } else if (has_suffix && strcmp(suffix, "_FRONTEND") == 0) {
        in->line[settings_row_of(p)] = e->line;
        in->of_frontend[settings_row_of(p)] = e->value;
        place = &in->settings->frontend;
    } else if (has_suffix && strcmp(suffix, "_URGENT") == 0) {
        in->urgent_line[settings_row_of(p)] = e->line;
        place = &in->settings->urgent;
    } else if (has_suffix) {
        in->of_default[settings_row_of(p)] = e->value;
        place = &in->scratch;
    } else {
        report_suffix(in, p, e);
        return;
    }
    if (!settings_table_store(p, place, e->value))
        report_value(in, p, e);
}

static bool is_suffix(const char *text)
{
    return strcmp(text, "_FRONTEND") == 0 || strcmp(text, "_URGENT") == 0 ||
           strcmp(text, "_DEFAULT") == 0;
}

/* The suffixed parameter that e names, and what follows its name; NULL where it names none. */
static const struct settings_parameter *find_suffixed(const struct conf_entry *e,
                                                      const char **suffix_r)
{
    for (size_t i = 0; i < SETTINGS_PARAMETER_COUNT; i++) {
        const struct settings_parameter *p = &settings_parameters[i];
        size_t len = strlen(p->name);

        if (p->suffix == SUFFIX_NONE || strncmp(e->name, p->name, len) != 0)
            continue;
        *suffix_r = e->name + len;
        if (**suffix_r == '\0' || is_suffix(*suffix_r))
            return p;
    }
    return NULL;
}

/* A suffix on a parameter that has one value deserves more than "there is no such parameter". */
static bool report_needless_suffix(struct reading *in, const struct conf_entry *e)
{
    const char *suffix = strrchr(e->name, '_');
    char name[SETTINGS_NEAREST_SIZE];

    if (suffix == NULL || !is_suffix(suffix) || (size_t)(suffix - e->name) >= sizeof name)
        return false;
    snprintf(name, sizeof name, "%.*s", (int)(suffix - e->name), e->name);
    if (settings_table_find(name) == NULL)
        return false;
    diag_error(in->diag, in->settings->file, e->line, "%s takes no suffix %s", name, suffix);
    return true;
}

static void take_entry(struct reading *in, const struct conf_entry *e)
{
    const struct settings_parameter *p = settings_table_find(e->name);
    const char *suffix;

    if (p != NULL && p->suffix == SUFFIX_NONE)
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
    bool below_root = settings->root[0] != '\0';

    for (size_t i = 0; i < SETTINGS_PARAMETER_COUNT; i++) {
        const struct settings_parameter *p = &settings_parameters[i];

        in->of_default[i] = in->of_frontend[i] = p->fallback;
        if (p->fallback != NULL &&
            !settings_table_store(
                p, p->suffix == SUFFIX_NONE ? (void *)settings : (void *)&settings->frontend,
                p->fallback))
            return false;
    }
    /* No installation is needed where a gateway under --root is to be tried at once. */
    return settings_table_store(settings_table_find("DAEMON_USER"), settings,
                                below_root ? "nobody" : "peg") &&
           settings_table_store(settings_table_find("INSTANCE_USERS"), settings,
                                below_root ? "no" : "yes") &&
           (below_root ||
            settings_table_store(settings_table_find("MONITORING_GROUP"), settings, "peg-monitor"));
}

/* Give each instance without a value of its own that of NAME_DEFAULT, and the urgent frontend that
 * of the other. */
static void spread_defaults(struct reading *in)
{
    bool good = true;

    for (size_t i = 0; i < SETTINGS_PARAMETER_COUNT; i++) {
        const struct settings_parameter *p = &settings_parameters[i];

        if (p->suffix == SUFFIX_NONE || in->bad[i])
            continue;
        if (in->urgent_line[i] == 0 && in->of_frontend[i] != NULL)
            good = settings_table_store(p, &in->settings->urgent, in->of_frontend[i]) && good;
        for (int n = 0; n < SETTINGS_PRIORITY_MAX; n++)
            if (!in->own[i][n])
                good =
                    settings_table_store(p, &in->settings->instance[n], in->of_default[i]) && good;
    }
    if (!good)
        diag_error(in->diag, in->settings->file, 0, "out of memory");
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
    in.incomplete = conf == NULL || diag->errors != errors_before;
    if (conf != NULL) {
        take_entries(&in, conf);
        spread_defaults(&in);
        if (!in.incomplete)
            settings_reading_check(&in);
        conf_free(&conf);
    }
    settings_table_free_instance(&in.scratch);
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

struct settings *settings_hold(struct settings *settings)
{
    atomic_fetch_add(&settings->further_holders, 1);
    return settings;
}

void settings_free(struct settings **settings)
{
    struct settings *s = *settings;

    *settings = NULL;
    if (s == NULL || atomic_fetch_sub(&s->further_holders, 1) > 0)
        return;
    free(s->root);
    free(s->file);
    settings_table_free(s);
    free(s);
}
