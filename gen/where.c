/* where - the line of main.cf or master.cf that says something, for reports */
#include "gen/where.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "admin/mem.h"
#include "lib/file.h"

enum { FILE_SIZE_MAX = 1 << 20 };

static const char blanks[] = " \t";

/* Whether a line begins with this word; *rest_r is what follows it and blanks. */
static bool begins_with(const char *line, const char *word, size_t word_len, const char **rest_r)
{
    if (strncmp(line, word, word_len) != 0)
        return false;
    *rest_r = line + word_len + strspn(line + word_len, blanks);
    return true;
}

/* The next line; NULL at the end. */
static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');

    return end != NULL && end[1] != '\0' ? end + 1 : NULL;
}

unsigned where_parameter_in(const char *text, const char *parameter)
{
    unsigned number = 1, found = 0;
    const char *rest;

    for (const char *line = text; line != NULL; line = next_line(line), number++)
        if (begins_with(line, parameter, strlen(parameter), &rest) && *rest == '=')
            found = number;
    return found;
}

/* "smtp/inet" as the first two words. */
static bool begins_service(const char *line, const char *service)
{
    size_t name_len = strcspn(service, "/");
    const char *type = service + name_len + 1;
    const char *rest;

    return begins_with(line, service, name_len, &rest) && rest > line + name_len &&
           begins_with(rest, type, strlen(type), &rest) && strchr(" \t\n", rest[-1]) != NULL;
}

/* Whether `OPTION=` or `OPTION =` stands in a line as a word. */
static bool sets_option(const char *line, const char *option)
{
    size_t len = strcspn(line, "\n");
    size_t option_len = strlen(option);

    for (const char *at = line; at + option_len < line + len; at++)
        if (strncmp(at, option, option_len) == 0 &&
            (at == line || strchr(" \t{", at[-1]) != NULL) &&
            at[option_len + strspn(at + option_len, blanks)] == '=')
            return true;
    return false;
}

unsigned where_option_in(const char *text, const char *service, const char *option)
{
    unsigned number = 1, begin = 0;
    bool inside = false;

    for (const char *line = text; line != NULL; line = next_line(line), number++) {
        bool goes_on = line[0] == ' ' || line[0] == '\t';

        if (line[0] == '#' || line[strspn(line, blanks)] == '#' || line[0] == '\n')
            continue; /* comments do not end an entry (master(5)) */
        if (!goes_on)
            inside = begins_service(line, service);
        if (inside && !goes_on)
            begin = number;
        if (inside && sets_option(line, option))
            return number;
    }
    return begin;
}

static char *read_file(const char *dir, const char *name)
{
    char *path = mem_printf("%s/%s", dir, name);
    size_t len;
    char *text = file_read(path, FILE_SIZE_MAX, &len);

    free(path);
    return text;
}

unsigned where_parameter(const char *dir, const char *parameter)
{
    char *text = read_file(dir, "main.cf");
    unsigned line = text != NULL ? where_parameter_in(text, parameter) : 0;

    free(text);
    return line;
}

unsigned where_option(const char *dir, const char *service, const char *option)
{
    char *text = read_file(dir, "master.cf");
    unsigned line = text != NULL ? where_option_in(text, service, option) : 0;

    free(text);
    return line;
}
