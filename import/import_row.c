/* import_row - one row of the original's table: [ "header", qr/pattern/, recipients, priority ] */
#include "import/import_row.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "admin/mem.h"
#include "import/perl_pattern.h"

enum cell { HEADER, PATTERN, RECIPIENTS, PRIORITY };

void import_row_refuse(struct import_row *row, unsigned line, const char *fmt, ...)
{
    va_list args;

    if (row->reason[0] != '\0')
        return;
    row->wrong_line = line;
    va_start(args, fmt);
    vsnprintf(row->reason, sizeof row->reason, fmt, args);
    va_end(args);
}

static void add_cell(struct import_row *row, const struct perl_token *token, char *value,
                     size_t value_len)
{
    if (row->count < IMPORT_CELLS)
        row->cells[row->count] =
            (struct import_cell){.token = *token, .value = value, .value_len = value_len};
    else
        free(value);
    row->count++;
}

static void add_string(struct import_row *row, const struct perl_token *token)
{
    size_t stripped_len, value_len = 0;
    char *stripped =
        perl_quote_strip(token->body, token->body_len, token->open, false, &stripped_len);
    char reason[PERL_REASON_SIZE];
    char *value = perl_quote_value(stripped, stripped_len, token->interpolates, &value_len, reason);

    free(stripped);
    if (value == NULL)
        import_row_refuse(row, token->line, "%s", reason);
    add_cell(row, token, value, value_len);
}

static void add_words(struct import_row *row, const struct perl_token *token)
{
    const char *at = token->body, *end = at + token->body_len;

    for (;;) {
        struct perl_token word = *token;

        while (at < end && isspace((unsigned char)*at))
            at++;
        if (at == end)
            return;
        for (word.body = at; at < end && !isspace((unsigned char)*at);)
            at++;
        word.body_len = (size_t)(at - word.body);
        add_string(row, &word);
    }
}

void import_row_add(struct import_row *row, const struct perl_token *token, bool before_arrow)
{
    switch (token->kind) {
    case PERL_STRING:
        add_string(row, token);
        break;
    case PERL_WORDS:
        add_words(row, token);
        break;
    case PERL_WORD:
        if (!before_arrow && !isupper((unsigned char)*token->text))
            import_row_refuse(row, token->line, "Perl may run this word; put it in quotes");
        /* fall through */
    case PERL_NUMBER:
        add_cell(row, token, mem_dup_len(token->text, token->len), token->len);
        break;
    case PERL_PATTERN:
        add_cell(row, token, NULL, 0);
        break;
    case PERL_ACTION:
        import_row_refuse(row, token->line,
                          "Perl matches this when it reads the file; write qr before the pattern");
        break;
    case PERL_VARIABLE:
        import_row_refuse(row, token->line, "a Perl variable is not read; write its value");
        break;
    default:
        import_row_refuse(row, token->line,
                          "a row is made of strings, numbers and a qr pattern, with commas "
                          "between; what is this?");
    }
}

/* What the reader of rules takes for a header's name (RFC 5322 3.6.8), and for nothing else. */
static bool convert_header(struct import_row *row, const struct import_cell *cell,
                           struct import_item *item)
{
    bool good = cell->value != NULL && cell->value_len > 0 && strchr("{#", *cell->value) == NULL;

    for (size_t i = 0; good && i < cell->value_len; i++)
        good = cell->value[i] > ' ' && cell->value[i] <= '~' && cell->value[i] != ':';
    if (good)
        item->source = mem_dup(cell->value);
    else
        import_row_refuse(row, cell->token.line,
                          "the first of a row is a header's name, in printable ASCII without "
                          "colon; correct it");
    return good;
}

/* A string serves Perl as a pattern, too, in which nothing is interpolated any more. */
static bool convert_pattern(struct import_row *row, const struct import_cell *cell,
                            struct import_item *item)
{
    const struct perl_token *token = &cell->token;
    struct perl_pattern pattern = {
        .text = cell->value, .len = cell->value_len, .characters = row->characters};
    char reason[PERL_REASON_SIZE];
    char *stripped = NULL;

    if (token->kind == PERL_WORD || token->kind == PERL_NUMBER) {
        import_row_refuse(row, token->line, "the second of a row is a pattern, as in qr/^flash/");
        return false;
    }
    if (token->kind == PERL_PATTERN) {
        stripped = perl_quote_strip(token->body, token->body_len, token->open, true, &pattern.len);
        pattern.text = stripped;
        pattern.flags = token->flags;
        pattern.flags_len = token->flags_len;
        pattern.interpolates = token->interpolates;
    }
    item->pattern = perl_pattern_convert(&pattern, &item->notes, reason);
    free(stripped);
    if (item->pattern == NULL)
        import_row_refuse(row, token->line, "%s", reason);
    return item->pattern != NULL;
}

/* A number as everybody writes it: Perl takes 010 for 8, and "010" for 10. */
static bool convert_number(const struct import_cell *cell, int count, int *number_r)
{
    int number = 0;

    if (cell->value == NULL || cell->value_len == 0 || cell->value_len > 4 ||
        (cell->value_len > 1 && *cell->value == '0'))
        return false;
    for (size_t i = 0; i < cell->value_len; i++) {
        if (!isdigit((unsigned char)cell->value[i]))
            return false;
        number = number * 10 + (cell->value[i] - '0');
    }
    *number_r = number;
    return number < count;
}

/* What the reader of rules says against the rule. */
static void object(void *arg, const char *text)
{
    struct import_row *row = arg;
    const char *said = strchr(text, ' '); /* behind the place */

    import_row_refuse(row, row->cells[PATTERN].token.line,
                      "PCRE2 does not take this pattern: %s; write it otherwise",
                      said != NULL ? said + 1 : text);
}

static bool compiles(struct import_row *row, const struct import_item *item)
{
    struct diag diag = {.emit = object, .arg = row};
    char *line;
    size_t line_len;
    FILE *out = mem_stream(&line, &line_len);
    struct rules *rules;

    import_item_print_rule(out, item, 0, 0);
    mem_stream_end(out);
    rules = rules_parse(line, line_len, "", item->priority + 1, &diag);
    free(line);
    if (rules == NULL)
        return false;
    rules_free(&rules);
    return true;
}

bool import_row_convert(struct import_row *row, int priority_count, struct import_item *item)
{
    const struct import_cell *cells = row->cells;
    int recipients = 0;

    if (row->reason[0] != '\0')
        return false;
    if (row->count != IMPORT_CELLS) {
        import_row_refuse(row, item->line,
                          "a row has four values: header, pattern, recipients and priority; this "
                          "one has %zu",
                          row->count);
        return false;
    }
    if (!convert_header(row, &cells[HEADER], item) || !convert_pattern(row, &cells[PATTERN], item))
        return false;
    if (!convert_number(&cells[RECIPIENTS], RULES_CC + 1, &recipients)) {
        import_row_refuse(row, cells[RECIPIENTS].token.line,
                          "the recipients of a row are 0 (all), 1 (To) or 2 (copies)");
        return false;
    }
    item->recipients = (enum rules_recipients)recipients;
    if (!convert_number(&cells[PRIORITY], priority_count, &item->priority)) {
        import_row_refuse(row, cells[PRIORITY].token.line,
                          "the priority of a row is a number from 0 to %d", priority_count - 1);
        return false;
    }
    return compiles(row, item);
}

void import_row_free(struct import_row *row)
{
    for (size_t i = 0; i < row->count && i < IMPORT_CELLS; i++)
        free(row->cells[i].value);
}
