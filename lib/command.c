/* command - a command line in sh syntax, taken apart without any shell */
#include "lib/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const command_fact_names[FACT_NUMBER] = {
    "PEG_BOUNCE_INSTANCE",   "PEG_BOUNCE_PRIORITY", "PEG_BOUNCE_QUEUE_ID", "PEG_BOUNCE_SENDER",
    "PEG_BOUNCE_RECIPIENTS", "PEG_BOUNCE_REASON",   "PEG_BOUNCE_COUNT",
};

/* Where the reader stands, and what it has made. */
struct reader {
    const char *at;
    const char *const *facts;
    char *why;
    char **words; /* NULL at the end */
    size_t count;
    char *word; /* the one that is being read */
    size_t len;
    bool failed;
};

static void PEG_PRINTF(2, 3) fail(struct reader *r, const char *fmt, ...)
{
    va_list args;

    if (r->failed)
        return;
    r->failed = true;
    va_start(args, fmt);
    vsnprintf(r->why, COMMAND_WHY_SIZE, fmt, args);
    va_end(args);
}

static void add(struct reader *r, const char *bytes, size_t len)
{
    char *longer = realloc(r->word, r->len + len + 1);

    if (longer == NULL) {
        fail(r, "out of memory");
        return;
    }
    r->word = longer;
    memcpy(r->word + r->len, bytes, len);
    r->len += len;
    r->word[r->len] = '\0';
}

static void end_word(struct reader *r)
{
    char **longer = realloc(r->words, (r->count + 2) * sizeof *longer);

    if (longer == NULL) {
        fail(r, "out of memory");
        return;
    }
    r->words = longer;
    r->words[r->count++] = r->word;
    r->words[r->count] = NULL;
    r->word = NULL;
    r->len = 0;
}

static bool is_name(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static void add_fact(struct reader *r, const char *name, size_t len)
{
    for (int i = 0; i < FACT_NUMBER; i++) {
        if (strlen(command_fact_names[i]) != len || memcmp(command_fact_names[i], name, len) != 0)
            continue;
        if (r->count == 0)
            fail(r, "$%s: what to run cannot depend on a message", command_fact_names[i]);
        else
            add(r, r->facts[i], strlen(r->facts[i]));
        return;
    }
    fail(r,
         "there is no $%.*s; there are $%s, _PRIORITY, _QUEUE_ID, _SENDER, _RECIPIENTS, _REASON "
         "and _COUNT",
         (int)(len < 40 ? len : 40), name, command_fact_names[FACT_INSTANCE]);
}

/* $NAME or ${NAME}, at its `$`. */
static void read_fact(struct reader *r)
{
    bool braces = r->at[1] == '{';
    const char *name = r->at + (braces ? 2 : 1);
    size_t len = 0;

    while (is_name(name[len]))
        len++;
    if (len == 0 || (braces && name[len] != '}')) {
        fail(r, "\"$\" stands before a name only, as $NAME or ${NAME}; write '$' in single quotes "
                "for the character itself");
        return;
    }
    add_fact(r, name, len);
    r->at = name + len + (braces ? 1 : 0);
}

/* What means the same within double quotes and outside of them: $ and `. Returns whether it was. */
static bool read_expansion(struct reader *r)
{
    if (*r->at == '`')
        fail(r, "\"`\" would run a command, and no shell is there to do so; quote it with ''");
    else if (*r->at == '$')
        read_fact(r);
    else
        return false;
    return true;
}

static void read_single_quoted(struct reader *r)
{
    const char *end = strchr(r->at + 1, '\'');

    if (end == NULL) {
        fail(r, "the single quote ' is not closed");
        return;
    }
    add(r, r->at + 1, (size_t)(end - r->at - 1));
    r->at = end + 1;
}

static void read_double_quoted(struct reader *r)
{
    add(r, "", 0); /* "" is a word, too */
    for (r->at++; !r->failed && *r->at != '"';) {
        if (*r->at == '\0') {
            fail(r, "the double quote \" is not closed");
        } else if (!read_expansion(r)) {
            if (r->at[0] == '\\' && r->at[1] != '\0' && strchr("$`\"\\", r->at[1]) != NULL)
                r->at++;
            add(r, r->at++, 1);
        }
    }
    if (!r->failed)
        r->at++;
}

/* Whether the word so far would be an assignment before a command. */
static bool is_assignment(const struct reader *r)
{
    size_t len = 0;

    while (len < r->len && is_name(r->word[len]))
        len++;
    return r->count == 0 && len > 0 && len == r->len;
}

static void read_unquoted(struct reader *r)
{
    char c = *r->at;

    if (strchr(";&|<>()", c) != NULL)
        fail(r, "\"%c\" is for a shell, and none runs; quote it if it belongs to a word", c);
    else if (r->word == NULL && (c == '#' || c == '~'))
        fail(r, "\"%c\" at the beginning of a word is for a shell, and none runs; quote it", c);
    else if (c == '=' && is_assignment(r))
        fail(r,
             "a command is needed first; for a variable of its own write env NAME=value COMMAND");
    else if (c == '\\' && r->at[1] == '\0')
        fail(r, "there is nothing after the last backslash");
    if (c == '\\' && !r->failed)
        r->at++;
    add(r, r->at++, 1);
}

static void read_word(struct reader *r)
{
    while (!r->failed && *r->at != '\0' && *r->at != ' ' && *r->at != '\t') {
        if (*r->at == '\'')
            read_single_quoted(r);
        else if (*r->at == '"')
            read_double_quoted(r);
        else if (!read_expansion(r))
            read_unquoted(r);
    }
    if (r->failed)
        return;
    if (r->count == 0 && r->len == 0)
        fail(r, "the name of the command is empty");
    else
        end_word(r);
}

/* A newline would begin another command, and other control characters are not seen. */
static void refuse_control(struct reader *r)
{
    for (const char *p = r->at; *p != '\0'; p++)
        if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
            fail(r, "a command on one line is needed, without control characters");
}

char **command_split(const char *text, const char *const facts[FACT_NUMBER],
                     char why_r[COMMAND_WHY_SIZE])
{
    struct reader r = {.at = text, .facts = facts, .why = why_r};

    refuse_control(&r);
    for (r.at += strspn(r.at, " \t"); !r.failed && *r.at != '\0'; r.at += strspn(r.at, " \t"))
        read_word(&r);
    if (r.count == 0)
        fail(&r, "there is no command");
    free(r.word);
    if (r.failed)
        command_free(&r.words);
    return r.words;
}

void command_free(char ***words)
{
    for (char **word = *words; word != NULL && *word != NULL; word++)
        free(*word);
    free(*words);
    *words = NULL;
}

bool command_is_good(const char *text, char why_r[COMMAND_WHY_SIZE])
{
    static const char *const nothing[FACT_NUMBER] = {"", "", "", "", "", "", ""};
    char **words = command_split(text, nothing, why_r);
    bool good = words != NULL;

    command_free(&words);
    return good;
}
