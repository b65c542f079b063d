/* cf_text - main.cf or master.cf taken apart: its entries, and the comments before each */
#include "gen/cf_text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "admin/mem.h"

const char *cf_file_name(enum cf_file file)
{
    return file == CF_MAIN ? "main.cf" : "master.cf";
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The length of a line, its newline included. */
static size_t line_len(const char *line)
{
    size_t len = strcspn(line, "\n");

    return len + (line[len] == '\n');
}

static bool is_comment(const char *line)
{
    const char *first = line + strspn(line, " \t\r");

    return *first == '#' || *first == '\n' || *first == '\0';
}

static size_t word_len(const char *text)
{
    return strcspn(text, " \t\r\n");
}

/* The name of the entry that begins in this line. */
static char *entry_name(const char *line, enum cf_file file)
{
    const char *type;

    if (file == CF_MAIN)
        return mem_dup_len(line, strcspn(line, "= \t\r\n"));
    type = line + word_len(line);
    while (is_blank(*type))
        type++;
    return mem_printf("%.*s/%.*s", (int)word_len(line), line, (int)word_len(type), type);
}

/* Where the entry ends that begins at text: behind the last line that goes on with it. */
static const char *entry_end(const char *text)
{
    const char *end = text + line_len(text);

    for (const char *line = end; *line != '\0'; line += line_len(line))
        if (is_comment(line))
            continue;
        else if (is_blank(*line))
            end = line + line_len(line);
        else
            break;
    return end;
}

static char *cut(const char *from, const char *to)
{
    return mem_dup_len(from, (size_t)(to - from));
}

void cf_text_parse(const char *text, enum cf_file file, struct cf_text *cf_r)
{
    const char *lead = text;
    const char *line = text;

    *cf_r = (struct cf_text){0};
    while (*line != '\0') {
        if (is_comment(line)) {
            line += line_len(line);
            continue;
        }
        const char *end = entry_end(line);

        cf_r->entries = mem_resize(cf_r->entries, cf_r->count + 1, sizeof *cf_r->entries);
        cf_r->entries[cf_r->count++] = (struct cf_entry){
            .lead = cut(lead, line), .name = entry_name(line, file), .body = cut(line, end)};
        lead = line = end;
    }
    cf_r->tail = cut(lead, line);
}

static char *append(char *text, const char *more)
{
    char *longer = mem_printf("%s%s", text, more);

    free(text);
    return longer;
}

char *cf_text_format(const struct cf_text *cf)
{
    char *text = mem_dup("");

    for (size_t i = 0; i < cf->count; i++) {
        text = append(text, cf->entries[i].lead);
        text = append(text, cf->entries[i].body);
        /* A file that an operator ended without a newline, and that has got more entries. */
        if (text[0] != '\0' && text[strlen(text) - 1] != '\n' &&
            (i + 1 < cf->count || cf->tail[0] != '\0'))
            text = append(text, "\n");
    }
    return append(text, cf->tail);
}

void cf_text_deinit(struct cf_text *cf)
{
    for (size_t i = 0; i < cf->count; i++) {
        free(cf->entries[i].lead);
        free(cf->entries[i].name);
        free(cf->entries[i].body);
    }
    free(cf->entries);
    free(cf->tail);
    *cf = (struct cf_text){0};
}

/* The first entry of this name that is not taken; NULL: there is none. It is taken then. */
static struct cf_entry *find(const struct cf_text *cf, const char *name, bool *taken)
{
    for (size_t i = 0; i < cf->count; i++)
        if (!taken[i] && strcmp(cf->entries[i].name, name) == 0) {
            taken[i] = true;
            return &cf->entries[i];
        }
    return NULL;
}

static void replace(char **text, char *with)
{
    free(*text);
    *text = with;
}

void cf_text_restore_comments(struct cf_text *edited, const struct cf_text *original)
{
    bool *taken = mem_resize(NULL, edited->count, sizeof *taken);
    char *orphans = mem_dup("");

    memset(taken, 0, edited->count * sizeof *taken);
    for (size_t i = 0; i < edited->count; i++)
        replace(&edited->entries[i].lead, mem_dup(""));
    for (size_t i = 0; i < original->count; i++) {
        const struct cf_entry *old = &original->entries[i];
        struct cf_entry *entry = find(edited, old->name, taken);

        orphans = append(orphans, old->lead);
        if (entry == NULL)
            continue;
        replace(&entry->lead, orphans);
        orphans = mem_dup("");
    }
    replace(&edited->tail, append(orphans, original->tail));
    free(taken);
}
