/* import - the original's rule file, in the syntax of a Perl hash, as our rules file */
#include "import/import.h"

#include <stdlib.h>
#include <string.h>

#include "import/import_file.h"
#include "import/import_row.h"
#include "admin/mem.h"
#include "lib/settings.h"

static const char not_understood[] =
    "this is no row, and Perl is not run; write rows as [ \"X-Priority\", qr/^5/, 0, 0 ],";

/* Read the cells of a row up to its ], or as far as anything can be read. */
static void read_cells(struct import_file *f, struct import_row *row)
{
    bool comma = true;

    while (row->reason[0] == '\0' && !import_file_at_last(f) && !import_file_at(f, "]")) {
        const struct perl_token token = f->token;

        import_file_advance(f);
        if (comma && token.sign != ',')
            import_row_add(row, &token, import_file_at(f, ",") && *f->token.text == '=');
        else if (!comma && token.sign != ',')
            import_row_refuse(row, token.line,
                              token.sign == '-' ? "Perl subtracts here; put the name in quotes"
                                                : "a comma is missing here, or this is Perl to be "
                                                  "run; write plain values");
        comma = token.sign == ',';
        if (row->reason[0] != '\0')
            import_file_skip(f, "]", token.sign != '\0' && strchr("([{", token.sign) != NULL);
    }
}

/* A row is data only where nothing is done with it. */
static void check_end(struct import_file *f, size_t index)
{
    struct import_item *item;
    bool row_follows = import_file_at(f, "[");

    if (import_file_at_last(f) || import_file_at(f, ",;)]}"))
        return;
    if (!row_follows)
        import_file_skip(f, ",;)]}", 0);
    item = &f->items.items[index];
    item->len = (size_t)(f->last_end - item->text);
    import_file_refuse(f, item, item->line,
                       row_follows ? "a comma is missing behind this row"
                                   : "what follows the row is Perl to be run; write plain rows");
}

static void warn_of_priority(struct import_file *f, const struct import_item *item)
{
    if (f->source->priority_count > 0 && item->priority >= f->source->priority_count)
        diag_error(f->warnings, f->source->file, item->line,
                   "warning: PRIORITY_COUNT=%d gives no priority %d; raise it before this rule is "
                   "used",
                   f->source->priority_count, item->priority);
}

/* Make the row, at its ], a rule or an item that failed; items from index on are its comments. */
static void add_row(struct import_file *f, struct import_row *row, struct import_item *item,
                    size_t index)
{
    if (!import_row_convert(row, SETTINGS_PRIORITY_MAX, item)) {
        import_items_cut(&f->items, index);
        import_file_refuse(f, import_items_add(&f->items, item), row->wrong_line, row->reason);
        import_file_advance(f);
        return;
    }
    if (f->items.count > index) { /* they stand before it now */
        f->items.items[index].blank_before = item->blank_before;
        item->blank_before = false;
    }
    index = f->items.count;
    import_items_add(&f->items, item);
    warn_of_priority(f, item);
    import_file_advance(f);
    check_end(f, index);
}

/* Read a row whose [, first, is behind us. */
static void read_row(struct import_file *f, const struct perl_token *first)
{
    struct import_row row = {.characters = f->characters};
    struct import_item item = {.kind = IMPORT_RULE,
                               .text = first->text,
                               .line = first->line,
                               .blank_before = first->blank_before};
    size_t index = f->items.count;

    if (f->table_seen && !f->table_open)
        import_row_refuse(&row, first->line,
                          "this row stands outside the table; move it into the table");
    f->rows_seen = f->in_row = true;
    read_cells(f, &row);
    import_file_skip(f, "]", 0);
    f->in_row = false;
    if (import_file_at_last(f)) {
        import_items_cut(&f->items, index);
        import_file_fail_rest(f, first, "this row does not end; a ] is missing");
    } else {
        item.len = (size_t)(f->token.text + 1 - first->text);
        item.last_line = f->token.line;
        add_row(f, &row, &item, index);
    }
    import_row_free(&row);
}

/* Take a bracket around tables or rows, which is behind us; the entry begins at first. */
static void open_bracket(struct import_file *f, const struct perl_token *first, char close)
{
    if (f->depth == IMPORT_BRACKETS_MAX) {
        import_file_fail(f, first, 1, "brackets are nested too deeply; write one table");
    } else if (close == ']' && (f->table_seen || f->rows_seen)) {
        import_file_fail(f, first, 1, "this is a second table, and Perl uses the last; leave one");
    } else {
        f->brackets[f->depth++] = close;
        f->table_open = f->table_open || close == ']';
        f->table_seen = f->table_seen || close == ']';
    }
}

/* [ where an entry can begin: a row, or, where rows or nothing are in it, the table. */
static void read_bracket(struct import_file *f)
{
    const struct perl_token first = f->token;

    import_file_advance(f);
    if (!f->table_open && import_file_at(f, "[]"))
        open_bracket(f, &first, ']');
    else
        read_row(f, &first);
}

static void close_bracket(struct import_file *f)
{
    const struct perl_token first = f->token;

    if (f->depth == 0 || f->brackets[f->depth - 1] != first.sign) {
        import_file_fail(f, &first, 0, "this bracket closes none that is open; remove it");
        return;
    }
    f->depth--;
    f->table_open = f->table_open && first.sign != ']';
    import_file_advance(f);
}

/* `key => value`. Only the table has a counterpart in a rules file. */
static void read_key(struct import_file *f)
{
    static const char table[] = "headerRuleList";
    static const char no_table[] =
        "this is no table of rules; write its rows in place, and settings "
        "in /etc/priority-email-gateway.conf";
    const struct perl_token key = f->token;
    bool string = key.kind == PERL_STRING;
    const char *name = string ? key.body : key.text;
    size_t len = string ? key.body_len : key.len;
    bool setting;

    import_file_advance(f);
    setting = import_file_at(f, ",");
    if (setting) {
        import_file_advance(f);
        if (import_file_at(f, "[") && len == strlen(table) && memcmp(name, table, len) == 0) {
            import_file_advance(f);
            open_bracket(f, &key, ']');
            return;
        }
    }
    import_file_fail(f, &key, 0, setting ? no_table : not_understood);
}

/* Of `use` and `no` what changes nothing for data, and utf8. */
static void read_use(struct import_file *f, bool on)
{
    static const char *const harmless[] = {"strict", "warnings", "vars", "diagnostics", "utf8"};
    const struct perl_token first = f->token;
    bool known = false, utf8;

    import_file_advance(f);
    utf8 = import_file_at_word(f, "utf8");
    for (size_t n = 0; n < sizeof harmless / sizeof *harmless; n++)
        known = known || import_file_at_word(f, harmless[n]);
    if (f->token.kind == PERL_NUMBER) /* 5.012 and later turn Unicode rules on (feature(1)) */
        known = strtod(f->token.text, NULL) < 5.0115;
    if (known)
        import_file_advance(f);
    while (known && (f->token.kind == PERL_STRING || f->token.kind == PERL_WORDS))
        import_file_advance(f);
    if (known && (import_file_at(f, ";") || f->token.kind == PERL_END))
        f->characters = utf8 ? on : f->characters;
    else
        import_file_fail(f, &first, 0, "this may change what patterns mean; leave it out");
}

/* `%name = (..)` or `$name = {..}` around the table, and `%name;` or `$name;` as the last word. */
static void read_variable(struct import_file *f)
{
    const struct perl_token first = f->token;

    import_file_advance(f);
    if (import_file_at(f, "=")) {
        import_file_advance(f);
        if (import_file_at(f, "([{+\\"))
            return;
    } else if (f->depth == 0 && (import_file_at(f, ";") || f->token.kind == PERL_END)) {
        return;
    }
    import_file_fail(f, &first, 0, not_understood);
}

static void read_word(struct import_file *f)
{
    const struct perl_token first = f->token;

    if (import_file_at_word(f, "use") || import_file_at_word(f, "no")) {
        read_use(f, first.len == 3);
    } else if (import_file_at_word(f, "my") || import_file_at_word(f, "our") ||
               import_file_at_word(f, "local") || import_file_at_word(f, "return")) {
        import_file_advance(f);
    } else if (import_file_at_word(f, "package")) {
        import_file_advance(f);
        import_file_advance(f);
        if (!import_file_at(f, ";"))
            import_file_fail(f, &first, 0, not_understood);
    } else {
        read_key(f);
    }
}

/* Read on from where an entry of a list, or a statement, can begin. */
static void read_entry(struct import_file *f)
{
    const struct perl_token first = f->token;

    if (import_file_at(f, ",;+\\") ||
        (first.kind == PERL_NUMBER && f->depth == 0 && first.len == 1 && *first.text == '1')) {
        import_file_advance(f);
    } else if (import_file_at(f, "[")) {
        read_bracket(f);
    } else if (import_file_at(f, ")]}")) {
        close_bracket(f);
    } else if (import_file_at(f, "(") || (import_file_at(f, "{") && !f->table_open)) {
        import_file_advance(f);
        open_bracket(f, &first, first.sign == '(' ? ')' : '}');
    } else if (first.kind == PERL_WORD && !f->table_open) {
        read_word(f);
    } else if (first.kind == PERL_STRING && !f->table_open) {
        read_key(f);
    } else if (first.kind == PERL_VARIABLE && !f->table_open) {
        read_variable(f);
    } else if (first.kind == PERL_BROKEN) {
        import_file_fail_rest(f, &first, "");
    } else {
        import_file_fail(f, &first, 0, not_understood);
    }
}

static void read_file(struct import_file *f)
{
    while (f->token.kind != PERL_END)
        read_entry(f);
    if (f->depth > 0) {
        const struct perl_token end = f->token;
        char reason[64];

        snprintf(reason, sizeof reason, "the file ends early; a %c is missing",
                 f->brackets[f->depth - 1]);
        import_file_fail(f, &end, 0, reason);
    } else if (!f->table_seen && !f->rows_seen && f->errors->errors == 0) {
        diag_error(f->errors, f->source->file, 0,
                   "there is no table of rules in this file; is it the original's "
                   "addPrivatePriorityDomain.conf?");
    }
}

/* A copy with line feeds alone at the ends of lines, as Perl reads it; NULL: it is no text. */
static char *copy_text(const struct import_source *source, struct diag *errors, size_t *len_r)
{
    static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8 */
    const char *at = source->text, *end = at + source->text_len;
    char *copy = mem_resize(NULL, source->text_len + 1, 1);
    size_t len = 0;
    unsigned line = 1;

    if (source->text_len >= 3 && memcmp(at, mark, 3) == 0)
        at += 3;
    for (; at < end; at++) {
        if (*at == '\0') {
            diag_error(errors, source->file, line,
                       "a NUL byte; this is no text file, or in UTF-16: save it as plain text");
            free(copy);
            return NULL;
        }
        line += *at == '\n';
        if (*at != '\r' || at + 1 == end || at[1] != '\n')
            copy[len++] = *at;
    }
    copy[len] = '\0';
    *len_r = len;
    return copy;
}

char *import_rules(const struct import_source *source, struct diag *errors, struct diag *warnings)
{
    struct import_file file = {.errors = errors, .warnings = warnings};
    size_t len, result_len;
    char *text = copy_text(source, errors, &len), *result;
    FILE *out;

    if (text == NULL)
        return NULL;
    import_file_init(&file, source, text, len);
    read_file(&file);
    out = mem_stream(&result, &result_len);
    import_items_print(out, &file.items, source->file);
    mem_stream_end(out);
    import_items_free(&file.items);
    free(text);
    return result;
}
