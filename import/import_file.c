/* import_file - the original's file while import reads it: tokens, comments, and what fails */
#include "import/import_file.h"

#include <string.h>

#include "admin/mem.h"

void import_file_init(struct import_file *f, const struct import_source *source, const char *text,
                      size_t text_len)
{
    f->source = source;
    f->last_end = text;
    f->last_line = 1;
    perl_reader_init(&f->reader, text, text_len);
    import_file_advance(f);
}

/* A comment behind a row, in its line, belongs to the row. */
static struct import_item *find_owner(const struct import_file *f, const struct perl_token *comment)
{
    struct import_item *last;

    if (comment->own_line || f->in_row || f->items.count == 0)
        return NULL;
    last = &f->items.items[f->items.count - 1];
    if (last->kind != IMPORT_RULE && last->kind != IMPORT_FAILED)
        return NULL;
    return last->comment == NULL && last->last_line == comment->line ? last : NULL;
}

static void add_comment(struct import_file *f, const struct perl_token *comment)
{
    struct import_item *owner = find_owner(f, comment);
    struct import_item item = {.kind =
                                   comment->kind == PERL_COMMENT ? IMPORT_COMMENT : IMPORT_DOCUMENT,
                               .text = comment->text,
                               .len = comment->len,
                               .line = comment->line,
                               .last_line = comment->last_line,
                               .blank_before = comment->blank_before};

    if (owner == NULL) {
        import_items_add(&f->items, &item);
        return;
    }
    owner->comment = comment->text;
    owner->comment_len = comment->len;
}

void import_file_advance(struct import_file *f)
{
    if (f->token.text != NULL) {
        f->last_end = f->token.text + f->token.len;
        f->last_line = f->token.last_line;
    }
    for (;;) {
        f->token = perl_reader_next(&f->reader);
        if (f->token.kind != PERL_COMMENT && f->token.kind != PERL_DOCUMENT)
            return;
        add_comment(f, &f->token);
    }
}

bool import_file_at(const struct import_file *f, const char *signs)
{
    return f->token.kind == PERL_SIGN && strchr(signs, f->token.sign) != NULL;
}

bool import_file_at_word(const struct import_file *f, const char *word)
{
    return f->token.kind == PERL_WORD && f->token.len == strlen(word) &&
           memcmp(f->token.text, word, f->token.len) == 0;
}

bool import_file_at_last(const struct import_file *f)
{
    return f->token.kind == PERL_END || f->token.kind == PERL_BROKEN;
}

/* Comments within what is skipped stay there, those behind it do not belong to it. */
void import_file_skip(struct import_file *f, const char *signs, size_t depth)
{
    size_t count = f->items.count;

    while (!import_file_at_last(f) && (depth > 0 || !import_file_at(f, signs))) {
        if (import_file_at(f, "([{"))
            depth++;
        else if (import_file_at(f, ")]}") && depth > 0)
            depth--;
        import_items_cut(&f->items, count);
        import_file_advance(f);
    }
}

void import_file_refuse(struct import_file *f, struct import_item *item, unsigned line,
                        const char *reason)
{
    item->kind = IMPORT_FAILED;
    item->line = line;
    item->reason = mem_dup(reason);
    diag_error(f->errors, f->source->file, line, "%s", reason);
}

static void fail(struct import_file *f, const struct perl_token *first, unsigned line,
                 const char *reason)
{
    struct import_item item = {
        .text = first->text, .last_line = f->last_line, .blank_before = first->blank_before};

    if (f->last_end > first->text)
        item.len = (size_t)(f->last_end - first->text);
    import_file_refuse(f, import_items_add(&f->items, &item), line, reason);
}

void import_file_fail(struct import_file *f, const struct perl_token *first, size_t depth,
                      const char *reason)
{
    import_file_skip(f, ",;)]}", depth);
    if (f->last_end <= first->text) /* it stopped where it stood */
        import_file_advance(f);
    fail(f, first, first->line, reason);
}

void import_file_fail_rest(struct import_file *f, const struct perl_token *first,
                           const char *reason)
{
    unsigned line = f->token.line;

    if (f->token.kind == PERL_BROKEN) {
        reason = f->token.reason;
        import_file_advance(f);
    } else {
        line = first->line;
    }
    fail(f, first, line, reason);
}
