/* import_item - what import has read, in the order of the file, and how it is written */
#include "import/import_item.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "admin/mem.h"

enum { /* of columns; what is longer stands out */
       SOURCE_WIDTH_MAX = 40,
       PATTERN_WIDTH_MAX = 48
};

static const char *const recipients_names[] = {
    [RULES_ALL] = "all", [RULES_TO] = "to", [RULES_CC] = "cc"};

struct import_item *import_items_add(struct import_items *items, const struct import_item *item)
{
    if ((items->count & (items->count + 1)) == 0) /* grow at 0, 1, 3, 7, ... */
        items->items = mem_resize(items->items, 2 * items->count + 1, sizeof *item);
    items->items[items->count] = *item;
    return &items->items[items->count++];
}

void import_items_cut(struct import_items *items, size_t count)
{
    while (items->count > count) {
        struct import_item *item = &items->items[--items->count];

        free(item->source);
        free(item->pattern);
        free(item->notes);
        free(item->reason);
    }
}

void import_items_free(struct import_items *items)
{
    import_items_cut(items, 0);
    free(items->items);
    items->items = NULL;
}

void import_item_print_rule(FILE *out, const struct import_item *item, int source_width,
                            int pattern_width)
{
    fprintf(out, "%-*s  %-*s  %-10s  %d", source_width, item->source, pattern_width, item->pattern,
            recipients_names[item->recipients], item->priority);
}

/* One line of text, without the blanks at its end; control characters would act on a terminal. */
static void print_line(FILE *out, const char *prefix, const char *text, size_t len)
{
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    fputs(len > 0 ? prefix : "#", out);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        fputc((c < ' ' && c != '\t') || c == 127 ? '?' : c, out);
    }
    fputc('\n', out);
}

/* Every line of text as a comment. */
static void print_lines(FILE *out, const char *prefix, const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line_end = newline != NULL ? newline : end;

        print_line(out, prefix, text, (size_t)(line_end - text));
        text = line_end + 1;
    }
}

/* POD without its commands, save for the text of headings and items (perlpod(1)). */
static void print_document(FILE *out, const char *text, size_t len)
{
    const char *whole = text, *end = text + len;
    bool gap = false, begun = false;

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line = text, *line_end = newline != NULL ? newline : end;
        bool command = *line == '=' || line == whole;
        bool titled = strncmp(line, "=head", 5) == 0 || strncmp(line, "=item", 5) == 0;

        text = line_end + 1;
        while (command && titled && line < line_end && !isspace((unsigned char)*line))
            line++;
        while (command && titled && line < line_end && isspace((unsigned char)*line))
            line++;
        if (command && (!titled || line == line_end))
            continue;
        if (line == line_end) {
            gap = begun;
            continue;
        }
        if (gap)
            print_line(out, "", "", 0);
        print_line(out, "# ", line, (size_t)(line_end - line));
        gap = false;
        begun = true;
    }
}

static void print_comment(FILE *out, const struct import_item *item)
{
    if (item->comment != NULL)
        print_line(out, "#", item->comment + 1, item->comment_len - 1);
}

/* Precedence rows that no client which writes `Flash` would fulfil. */
static bool is_precedence(const struct import_item *item)
{
    const char *flags;

    if (item->kind != IMPORT_RULE || (strcasecmp(item->source, "X-XIMF-Primary-Precedence") != 0 &&
                                      strcasecmp(item->source, "X-XIMF-Copy-Precedence") != 0))
        return false;
    flags = strrchr(item->pattern, '/');
    return strchr(flags, 'i') == NULL;
}

static void print_item(FILE *out, const struct import_item *item, int source_width,
                       int pattern_width)
{
    switch (item->kind) {
    case IMPORT_COMMENT:
        print_line(out, "#", item->text + 1, item->len - 1);
        break;
    case IMPORT_DOCUMENT:
        print_document(out, item->text, item->len);
        break;
    case IMPORT_RULE:
        if (item->notes != NULL)
            print_lines(out, "#", item->notes, strlen(item->notes));
        import_item_print_rule(out, item, source_width, pattern_width);
        fputs(item->comment != NULL ? "  " : "\n", out);
        print_comment(out, item);
        break;
    case IMPORT_FAILED:
        fprintf(out, "# NOT CONVERTED, line %u: %s\n", item->line, item->reason);
        print_comment(out, item);
        print_lines(out, "#   ", item->text, item->len);
        break;
    }
}

static void widen(int *width, const char *text, int max)
{
    size_t len = strlen(text);

    if (len <= (size_t)max && (int)len > *width)
        *width = (int)len;
}

void import_items_print(FILE *out, const struct import_items *items, const char *file)
{
    int source_width = (int)strlen("# source"), pattern_width = (int)strlen("pattern");
    bool precedence_told = false;

    for (size_t i = 0; i < items->count; i++) {
        if (items->items[i].kind != IMPORT_RULE)
            continue;
        widen(&source_width, items->items[i].source, SOURCE_WIDTH_MAX);
        widen(&pattern_width, items->items[i].pattern, PATTERN_WIDTH_MAX);
    }
    print_line(out, "# Rules converted by peg-gen import-rules from ", file, strlen(file));
    fprintf(out, "\n%-*s  %-*s  recipients  priority\n\n", source_width, "# source", pattern_width,
            "pattern");
    for (size_t i = 0; i < items->count; i++) {
        const struct import_item *item = &items->items[i];

        if (item->blank_before && i > 0)
            fputc('\n', out);
        if (!precedence_told && is_precedence(item)) {
            fputs("# Letter case counts in these patterns, as it did; clients also send \"Flash\", "
                  "which takes /^flash/i.\n",
                  out);
            precedence_told = true;
        }
        print_item(out, item, source_width, pattern_width);
    }
}
