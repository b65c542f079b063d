/* perl_token - the tokens of a Perl file that holds data */
#include "import/perl_token.h"

#include <ctype.h>
#include <string.h>

#include "import/perl_quote.h"

static bool is_letter(char c)
{
    return isalpha((unsigned char)c) || c == '_';
}

static bool is_space(char c)
{
    return isspace((unsigned char)c);
}

static bool begins(const struct perl_reader *r, const char *at, const char *prefix)
{
    size_t len = strlen(prefix);

    return (size_t)(r->end - at) >= len && memcmp(at, prefix, len) == 0;
}

/* Move to `at`, counting the lines that are passed. */
static void move(struct perl_reader *r, const char *at)
{
    for (; r->at < at; r->at++) {
        if (*r->at != '\n')
            continue;
        r->line++;
        r->newlines++;
        r->line_start = r->at + 1;
    }
}

static const char *skip_spaces(const struct perl_reader *r, const char *at)
{
    while (at < r->end && is_space(*at))
        at++;
    return at;
}

static const char *line_end(const struct perl_reader *r, const char *at)
{
    const char *newline = memchr(at, '\n', (size_t)(r->end - at));

    return newline != NULL ? newline : r->end;
}

static const char *word_end(const struct perl_reader *r, const char *at)
{
    while (at < r->end) {
        if (perl_is_word(*at))
            at++;
        else if (begins(r, at, "::"))
            at += 2;
        else
            break;
    }
    return at;
}

static void broken(struct perl_reader *r, struct perl_token *token, const char *reason)
{
    token->kind = PERL_BROKEN;
    token->reason = reason;
    move(r, r->end);
}

/* Up to and with the line that begins with =cut (perlpod(1)). */
static void read_pod(struct perl_reader *r, struct perl_token *token)
{
    const char *at = r->at;

    token->kind = PERL_DOCUMENT;
    while (at < r->end && !(begins(r, at, "=cut") && !(at + 4 < r->end && is_letter(at[4])))) {
        at = line_end(r, at);
        at += at < r->end;
    }
    move(r, line_end(r, at));
}

/*
 * The opening delimiter of a quote-like operator whose name ends at `at`. Blanks and comments may
 * stand before it; where blanks do, it may be a letter, and # is none. NULL: there is none.
 */
static const char *find_delimiter(const struct perl_reader *r, const char *at)
{
    const char *delimiter = skip_spaces(r, at);

    while (delimiter > at && delimiter < r->end && *delimiter == '#')
        delimiter = skip_spaces(r, line_end(r, delimiter));
    return delimiter < r->end ? delimiter : NULL;
}

/* Read one delimited text, r->at its opening delimiter. */
static bool read_body(struct perl_reader *r, struct perl_token *token)
{
    const char *close = perl_quote_end(r->at + 1, r->end, *r->at);

    if (close == NULL)
        return false;
    token->open = *r->at;
    token->body = r->at + 1;
    token->body_len = (size_t)(close - token->body);
    move(r, close + 1);
    return true;
}

/* Flags, and for s, tr and y the second text before them. */
static bool read_rest(struct perl_reader *r, struct perl_token *token, bool second)
{
    if (second && strchr("([{<", token->open) != NULL) {
        const char *delimiter = find_delimiter(r, r->at);

        if (delimiter == NULL)
            return false;
        move(r, delimiter);
        second = !read_body(r, token);
    } else if (second) {
        const char *close = perl_quote_end(r->at, r->end, token->open);

        second = close == NULL;
        move(r, close != NULL ? close + 1 : r->end);
    }
    if (second)
        return false;
    token->flags = r->at;
    if (token->kind == PERL_PATTERN || token->kind == PERL_ACTION)
        while (r->at < r->end && is_letter(*r->at))
            r->at++;
    token->flags_len = (size_t)(r->at - token->flags);
    return true;
}

static void read_quoted(struct perl_reader *r, struct perl_token *token, const char *delimiter,
                        enum perl_kind kind, bool second)
{
    token->kind = kind;
    move(r, delimiter);
    if (!read_body(r, token) || !read_rest(r, token, second))
        broken(r, token, "what is quoted here does not end; close it");
}

/* q, qq, qw, qr, m, s, tr and y with their texts. false: it is an ordinary word. */
static bool read_operator(struct perl_reader *r, struct perl_token *token, const char *name_end)
{
    static const struct {
        const char *name;
        enum perl_kind kind;
        bool interpolates, second;
    } operators[] = {
        {"q", PERL_STRING, false, false}, {"qq", PERL_STRING, true, false},
        {"qw", PERL_WORDS, false, false}, {"qr", PERL_PATTERN, true, false},
        {"m", PERL_ACTION, true, false},  {"s", PERL_ACTION, true, true},
        {"tr", PERL_ACTION, false, true}, {"y", PERL_ACTION, false, true},
    };
    size_t len = (size_t)(name_end - r->at);
    const char *delimiter = find_delimiter(r, name_end);

    if (delimiter == NULL || begins(r, delimiter, "=>"))
        return false;
    for (size_t n = 0; n < sizeof operators / sizeof *operators; n++) {
        if (strlen(operators[n].name) != len || memcmp(operators[n].name, r->at, len) != 0)
            continue;
        token->interpolates =
            operators[n].interpolates && !(operators[n].kind == PERL_PATTERN && *delimiter == '\'');
        read_quoted(r, token, delimiter, operators[n].kind, operators[n].second);
        return true;
    }
    return false;
}

static void read_word(struct perl_reader *r, struct perl_token *token)
{
    const char *end = word_end(r, r->at);
    size_t len = (size_t)(end - r->at);

    if (read_operator(r, token, end))
        return;
    token->kind = PERL_WORD;
    if ((len == 7 && begins(r, r->at, "__END__")) || (len == 8 && begins(r, r->at, "__DATA__"))) {
        token->kind = PERL_DOCUMENT;
        end = r->end;
    }
    move(r, end);
}

/* $name, @name, %name, &name, ${..}, $$name, $/ and their kin; subscripts are tokens of their own.
 */
static void read_variable(struct perl_reader *r, struct perl_token *token)
{
    const char *at = r->at + 1;

    token->kind = PERL_VARIABLE;
    while (at < r->end && (*at == '$' || (*at == '#' && r->at[0] == '$')))
        at++;
    if (at < r->end && (perl_is_word(*at) || *at == ':'))
        at = word_end(r, at);
    else if (at < r->end && *at != '{' && !is_space(*at) && *r->at == '$')
        at++;
    move(r, at);
}

static bool is_variable(const struct perl_reader *r)
{
    char next = '\0';

    if (r->at + 1 < r->end)
        next = r->at[1];
    if (*r->at == '$' || *r->at == '@')
        return true;
    return (*r->at == '%' || *r->at == '&') && !r->after_term &&
           (perl_is_word(next) || next == '{' || next == '$' || next == ':');
}

static bool is_heredoc(const struct perl_reader *r)
{
    return !r->after_term && begins(r, r->at, "<<") && r->at + 2 < r->end &&
           (strchr("\"'~", r->at[2]) != NULL || is_letter(r->at[2]));
}

static void read_sign(struct perl_reader *r, struct perl_token *token)
{
    bool arrow = begins(r, r->at, "=>");

    if (is_heredoc(r)) {
        broken(r, token, "here-documents are not read; write the text in quotes");
        return;
    }
    token->kind = PERL_SIGN;
    token->sign = *r->at;
    if (arrow)
        token->sign = ',';
    r->at += arrow ? 2 : 1;
}

static void read_any(struct perl_reader *r, struct perl_token *token)
{
    char c = *r->at;

    if (c == '#') {
        token->kind = PERL_COMMENT;
        r->at = line_end(r, r->at);
    } else if (c == '=' && r->at == r->line_start && r->at + 1 < r->end && is_letter(r->at[1])) {
        read_pod(r, token);
    } else if (is_letter(c)) {
        read_word(r, token);
    } else if (isdigit((unsigned char)c)) {
        token->kind = PERL_NUMBER;
        while (r->at < r->end && (perl_is_word(*r->at) || *r->at == '.'))
            r->at++;
    } else if (c == '"' || c == '\'') {
        token->interpolates = c == '"';
        read_quoted(r, token, r->at, PERL_STRING, false);
    } else if (c == '/' && !r->after_term) {
        read_quoted(r, token, r->at, PERL_ACTION, false);
    } else if (is_variable(r)) {
        read_variable(r, token);
    } else {
        read_sign(r, token);
    }
}

void perl_reader_init(struct perl_reader *reader, const char *text, size_t text_len)
{
    *reader = (struct perl_reader){
        .at = text, .end = text + text_len, .line_start = text, .line = 1, .newlines = 1};
}

struct perl_token perl_reader_next(struct perl_reader *reader)
{
    struct perl_token token = {.kind = PERL_END};

    move(reader, skip_spaces(reader, reader->at));
    token.text = reader->at;
    token.line = token.last_line = reader->line;
    token.own_line = reader->newlines > 0;
    token.blank_before = reader->newlines > 1;
    if (reader->at == reader->end)
        return token;
    read_any(reader, &token);
    token.len = (size_t)(reader->at - token.text);
    token.last_line = reader->line;
    reader->newlines = 0;
    if (token.kind != PERL_COMMENT && token.kind != PERL_DOCUMENT)
        reader->after_term =
            token.kind == PERL_SIGN ? strchr(")]}", token.sign) != NULL : token.kind != PERL_WORD;
    return token;
}
