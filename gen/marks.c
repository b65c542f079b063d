/* marks - comments in main.cf and master.cf that say which entries peg-gen keeps */
#include "gen/marks.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/mem.h"
#include "lib/log.h"

#define PREFIX "# peg-gen: "
#define SOURCE SETTINGS_CONF_FILE

static const char mark_own[] = PREFIX "from " SOURCE "; what is changed here is set back";
static const char mark_word[] = PREFIX "one word of it is from " SOURCE "; the others are yours";
static const char mark_first[] = PREFIX "made from " SOURCE "; what is changed here stays";
static const char mark_option[] = PREFIX "option %s is from " SOURCE "; the rest is yours";

const char *marks_file_name(enum marks_file file)
{
    return file == MARKS_MAIN ? "main.cf" : "master.cf";
}

static void mark_all(struct pairs *marks, const struct pairs *entries, const char *mark)
{
    for (size_t i = 0; i < entries->count; i++)
        pairs_set(marks, entries->items[i].name, mark);
}

/* "qmgr/unix/rewrite_service_name" belongs to "qmgr/unix". */
static void mark_options(struct pairs *marks, const struct pairs *options)
{
    for (size_t i = 0; i < options->count; i++) {
        const char *name = options->items[i].name;
        const char *option = strrchr(name, '/');
        char *service = mem_dup_len(name, option != NULL ? (size_t)(option - name) : 0);

        if (pairs_get(marks, service) == NULL)
            pairs_setf(marks, service, mark_option, option != NULL ? option + 1 : name);
        free(service);
    }
}

void marks_of_plan(const struct plan *plan, enum marks_file file, struct pairs *marks_r)
{
    *marks_r = (struct pairs){0};
    if (file == MARKS_MAIN) {
        mark_all(marks_r, &plan->main, mark_own);
        mark_all(marks_r, &plan->first, mark_word);
        mark_all(marks_r, &plan->last, mark_word);
    } else {
        mark_all(marks_r, &plan->services, mark_own);
        mark_all(marks_r, &plan->absent, mark_first);
        mark_options(marks_r, &plan->options);
    }
}

/* The name of the entry that begins in this line; NULL where none does. To be freed. */
static char *entry_name(const char *line, size_t len, enum marks_file file)
{
    static const char blanks[] = " \t";
    size_t name_len = 0;

    if (len == 0 || line[0] == '#' || strchr(" \t\r", line[0]) != NULL)
        return NULL; /* a comment, or the entry before goes on */
    if (file == MARKS_MAIN) {
        while (name_len < len && strchr("= \t", line[name_len]) == NULL)
            name_len++;
        return mem_dup_len(line, name_len);
    }
    while (name_len < len && strchr(blanks, line[name_len]) == NULL)
        name_len++;
    size_t type = name_len;

    while (type < len && strchr(blanks, line[type]) != NULL)
        type++;
    size_t end = type;

    while (end < len && strchr(blanks, line[end]) == NULL)
        end++;
    return mem_printf("%.*s/%.*s", (int)name_len, line, (int)(end - type), line + type);
}

char *marks_put(const char *text, enum marks_file file, const struct pairs *marks)
{
    char *result = NULL;
    size_t result_len;
    FILE *out = open_memstream(&result, &result_len);

    if (out == NULL)
        log_fatal("out of memory");
    for (const char *line = text; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        size_t whole = len + (line[len] == '\n');
        char *name = entry_name(line, len, file);
        const char *mark = name != NULL ? pairs_get(marks, name) : NULL;

        if (mark != NULL)
            fprintf(out, "%s\n", mark);
        if (strncmp(line, PREFIX, sizeof PREFIX - 1) != 0)
            fwrite(line, 1, whole, out);
        free(name);
        line += whole;
    }
    fclose(out);
    return result;
}
