/* marks - comments in main.cf and master.cf that say which entries peg-gen keeps */
#include "gen/marks.h"

#include <stdlib.h>
#include <string.h>

#include "admin/mem.h"

#define PREFIX "# peg-gen: "
#define SOURCE SETTINGS_CONF_FILE

static const char mark_own[] = PREFIX "from " SOURCE "; what is changed here is set back";
static const char mark_word[] = PREFIX "one word of it is from " SOURCE "; the others are yours";
static const char mark_first[] = PREFIX "made from " SOURCE "; what is changed here stays";
static const char mark_option[] = PREFIX "yours, save for these options from " SOURCE ": %s";

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
        const char *others = pairs_get(marks, service);

        option = option != NULL ? option + 1 : name;
        if (others == NULL)
            pairs_setf(marks, service, mark_option, option);
        else
            pairs_setf(marks, service, "%s, %s", others, option);
        free(service);
    }
}

void marks_of_plan(const struct plan *plan, enum cf_file file, struct pairs *marks_r)
{
    *marks_r = (struct pairs){0};
    if (file == CF_MAIN) {
        mark_all(marks_r, &plan->main, mark_own);
        mark_all(marks_r, &plan->unset, mark_first);
        mark_all(marks_r, &plan->first, mark_word);
        mark_all(marks_r, &plan->last, mark_word);
    } else {
        mark_options(marks_r, &plan->options);
        mark_all(marks_r, &plan->services, mark_own);
        mark_all(marks_r, &plan->absent, mark_first);
    }
}

/* text without the lines that are marks. */
static char *without_marks(const char *text)
{
    char *result = mem_dup("");

    for (const char *line = text; *line != '\0';) {
        size_t len = strcspn(line, "\n") + 1;

        if (strncmp(line, PREFIX, sizeof PREFIX - 1) != 0) {
            char *longer = mem_printf("%s%.*s", result, (int)len, line);

            free(result);
            result = longer;
        }
        line += line[len - 1] == '\n' ? len : len - 1;
    }
    return result;
}

void marks_put(struct cf_text *cf, const struct pairs *marks)
{
    for (size_t i = 0; i < cf->count; i++) {
        struct cf_entry *entry = &cf->entries[i];
        const char *mark = pairs_get(marks, entry->name);
        char *lead = without_marks(entry->lead);

        free(entry->lead);
        entry->lead =
            mem_printf("%s%s%s", lead, mark != NULL ? mark : "", mark != NULL ? "\n" : "");
        free(lead);
    }
    char *tail = without_marks(cf->tail);

    free(cf->tail);
    cf->tail = tail;
}
