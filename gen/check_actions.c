/* check_actions - entries of a frontend's tables that add, change or direct recipients */
#include "gen/check_parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "admin/mem.h"
#include "gen/where.h"
#include "lib/file.h"

enum { TABLE_SIZE_MAX = 16 << 20 };

static bool is_pattern_type(const char *type)
{
    return strcmp(type, "regexp") == 0 || strcmp(type, "pcre") == 0;
}

/* What follows the pattern /.../flags, or the key; NULL where the line has none. */
static const char *skip_key(const char *type, const char *line)
{
    if (is_pattern_type(type)) {
        char delimiter;

        line += *line == '!';
        delimiter = *line;
        if (delimiter == '\0' || isalnum((unsigned char)delimiter))
            return NULL; /* if, endif */
        for (line++; *line != '\0' && *line != '\n' && *line != delimiter; line++)
            line += line[0] == '\\' && line[1] != '\0' && line[1] != '\n';
        if (*line != delimiter)
            return NULL;
    }
    line += strcspn(line, " \t\n");
    return line + strspn(line, " \t");
}

/* "FILTER peg4:..." leads to an instance: whoever writes that means it. */
static bool leads_to_instance(const char *argument)
{
    return strncmp(argument, "peg", 3) == 0 && isdigit((unsigned char)argument[3]);
}

void check_actions_in(const char *type, const char *text,
                      void (*found)(void *arg, unsigned line, const char *action), void *arg)
{
    static const char *const actions[] = {"REDIRECT", "FILTER", "BCC"};
    unsigned number = 1;

    for (const char *line = text; *line != '\0'; number++) {
        const char *end = strchrnul(line, '\n');
        const char *action =
            *line != '#' && !isspace((unsigned char)*line) ? skip_key(type, line) : NULL;

        for (size_t i = 0; action != NULL && i < sizeof actions / sizeof actions[0]; i++) {
            size_t len = strlen(actions[i]);

            if (strncasecmp(action, actions[i], len) == 0 &&
                (action[len] == ' ' || action[len] == '\t') &&
                !leads_to_instance(action + len + strspn(action + len, " \t")))
                found(arg, number, actions[i]);
        }
        line = *end == '\n' ? end + 1 : end;
    }
}

struct table {
    const char *path;
    const char *parameter;
    struct diag *diag;
};

static void report(void *arg, unsigned line, const char *action)
{
    const struct table *table = arg;

    if (strcmp(action, "FILTER") == 0)
        diag_warning(table->diag, table->path, line,
                     "FILTER in the frontend's %s takes mail past the instances, unless it leads "
                     "to a transport of theirs, as pegN-f",
                     table->parameter);
    else
        diag_warning(table->diag, table->path, line,
                     "%s in the frontend's %s makes recipients that peg-milter does not see: they "
                     "go to the default instance",
                     action, table->parameter);
}

/* The text from which a table is made, where it is there to be read. */
static void look_into(const char *type, const char *path, const char *parameter, struct diag *diag)
{
    struct table table = {.path = path, .parameter = parameter, .diag = diag};
    size_t len;
    char *text = file_read(path, TABLE_SIZE_MAX, &len);

    if (text != NULL)
        check_actions_in(type, text, report, &table);
    free(text);
}

/* TYPE:PATH, or TYPE:$config_directory/NAME. */
static void look_at_word(const char *dir, const char *parameter, const char *word,
                         struct diag *diag)
{
    static const char *const types[] = {"regexp", "pcre", "cidr", "texthash", "hash",
                                        "btree",  "dbm",  "cdb",  "lmdb",     "sdbm"};
    static const char *const names[] = {"$config_directory", "${config_directory}",
                                        "$(config_directory)"};
    const char *colon = strchr(word, ':');
    char *type;
    char *path = NULL;

    if (colon == NULL)
        return;
    type = mem_dup_len(word, (size_t)(colon - word));
    if (colon[1] == '/')
        path = mem_dup(colon + 1);
    for (size_t i = 0; path == NULL && i < sizeof names / sizeof names[0]; i++)
        if (strncmp(colon + 1, names[i], strlen(names[i])) == 0)
            path = mem_printf("%s%s", dir, colon + 1 + strlen(names[i]));
    for (size_t i = 0; path != NULL && i < sizeof types / sizeof types[0]; i++)
        if (strcmp(type, types[i]) == 0)
            look_into(type, path, parameter, diag);
    free(path);
    free(type);
}

static void look_at_value(const char *dir, const char *parameter, const char *value,
                          const char *ours, struct diag *diag)
{
    char *words = mem_dup(value);
    char *rest;

    for (char *word = strtok_r(words, ", \t", &rest); word != NULL;
         word = strtok_r(NULL, ", \t", &rest))
        if (ours == NULL || strcmp(word, ours) != 0)
            look_at_word(dir, parameter, word, diag);
    free(words);
}

/* header_checks and its kind, and smtpd_*_restrictions with their access tables. */
static bool has_actions(const char *parameter)
{
    static const char *const ends[] = {"header_checks", "body_checks", "_restrictions"};
    size_t len = strlen(parameter);

    if (strncmp(parameter, "smtp_", 5) == 0 || strncmp(parameter, "lmtp_", 5) == 0)
        return false; /* on the way out, where only a few actions are known */
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (len >= strlen(ends[i]) && strcmp(parameter + len - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

void check_actions(const struct work *work, const struct work_folder *frontend, struct diag *diag)
{
    const struct postconf *conf = &frontend->present.conf;
    const struct pairs *const lists[] = {&conf->main, &conf->options};
    const char *dir = check_dir(work, frontend);

    for (size_t list = 0; list < 2; list++)
        for (size_t i = 0; i < lists[list]->count; i++) {
            const struct pair *pair = &lists[list]->items[i];
            const char *slash = strrchr(pair->name, '/');
            const char *parameter = slash != NULL ? slash + 1 : pair->name;

            if (has_actions(parameter))
                look_at_value(dir, parameter, pair->value,
                              pairs_get(&frontend->plan->first, parameter), diag);
        }
}
