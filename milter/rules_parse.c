/* rules_parse - read the rules file: lines of source, /pattern/flags, recipients, priority */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/file.h"
#include "milter/rules_internal.h"

enum { RULES_FILE_MAX = 16 * 1024 * 1024 };

/* Milter macros that Postfix can pass (src/milter/milter.h), except those of other recipients'
 * kind. */
static const char *const macros_known[] = {"{auth_authen}",
                                           "{auth_author}",
                                           "{auth_type}",
                                           "{cert_issuer}",
                                           "{cert_subject}",
                                           "{cipher}",
                                           "{cipher_bits}",
                                           "{client_addr}",
                                           "{client_connections}",
                                           "{client_name}",
                                           "{client_port}",
                                           "{client_ptr}",
                                           "{client_resolve}",
                                           "{daemon_addr}",
                                           "{daemon_name}",
                                           "{daemon_port}",
                                           "{mail_addr}",
                                           "{mail_host}",
                                           "{mail_mailer}",
                                           "{tls_version}",
                                           "{j}",
                                           "{v}",
                                           "{_}",
                                           RULES_RECIPIENT_MACRO};

struct reader {
    const char *file;
    const char *line_start;
    const char *at;  /* what is read next */
    const char *end; /* of the line, without newline */
    unsigned line;
    int priority_count;
    struct diag *diag;
};

static unsigned column_of(const struct reader *reader, const char *at)
{
    return (unsigned)(at - reader->line_start) + 1;
}

static bool PEG_PRINTF(3, 4) wrong(struct reader *reader, const char *at, const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    diag_error_at(reader->diag, reader->file, reader->line, column_of(reader, at), "%s", text);
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && is_blank(*reader->at))
        reader->at++;
}

/* The next word, up to a blank. len_r is 0 at the end of the line and at a comment. */
static const char *next_word(struct reader *reader, int *len_r)
{
    const char *word;

    skip_blanks(reader);
    word = reader->at;
    if (reader->at < reader->end && *reader->at == '#') {
        *len_r = 0;
        return word;
    }
    while (reader->at < reader->end && !is_blank(*reader->at))
        reader->at++;
    *len_r = (int)(reader->at - word);
    return word;
}

static bool check_macro(struct reader *reader, const char *word, int len)
{
    for (size_t n = 0; n < sizeof macros_known / sizeof *macros_known; n++)
        if (strlen(macros_known[n]) == (size_t)len &&
            memcmp(macros_known[n], word, (size_t)len) == 0)
            return true;
    if (len > 6 && strncmp(word, "{rcpt_", 6) == 0)
        return wrong(reader, word,
                     "of a recipient's macros only " RULES_RECIPIENT_MACRO " can be used, not %.*s",
                     len, word);
    return wrong(reader, word,
                 "Postfix has no milter macro %.*s; see MILTER_README for those it "
                 "has, and write them in braces, as in {auth_authen}",
                 len, word);
}

/* RFC 5322 3.6.8: a field name is made of printable characters except the colon. */
static bool read_source(struct reader *reader, struct rule *rule)
{
    int len;
    const char *word = next_word(reader, &len);

    if (*word == '{') {
        if (!check_macro(reader, word, len))
            return false;
    } else {
        for (int n = 0; n < len; n++)
            if (word[n] <= ' ' || word[n] > '~' || word[n] == ':')
                return wrong(reader, word + n,
                             "a header name is needed here, without colon and "
                             "quotes, or a macro in braces");
    }
    rule->source = strndup(word, (size_t)len);
    return rule->source != NULL || wrong(reader, word, "out of memory");
}

static bool read_flags(struct reader *reader, uint32_t *options_r)
{
    uint32_t options = 0;

    for (; reader->at < reader->end && !is_blank(*reader->at); reader->at++) {
        switch (*reader->at) {
        case 'i':
            options |= PCRE2_CASELESS;
            break;
        case 'x':
            options |= PCRE2_EXTENDED;
            break;
        case 's':
            options |= PCRE2_DOTALL;
            break;
        default:
            return wrong(reader, reader->at, "flags are i, x and s, not \"%c\"",
                         isprint((unsigned char)*reader->at) ? *reader->at : '?');
        }
    }
    *options_r = options;
    return true;
}

static bool compile(struct reader *reader, const char *pattern, size_t len, uint32_t options,
                    struct rule *rule)
{
    int error;
    PCRE2_SIZE offset;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, len, options, &error, &offset, NULL);

    if (code == NULL) {
        PCRE2_UCHAR text[256] = "";

        pcre2_get_error_message(error, text, sizeof text);
        return wrong(reader, pattern + (offset < len ? offset : len), "%s", (const char *)text);
    }
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* without JIT it is slower, not wrong */
    rule->code = code;
    return true;
}

static bool read_pattern(struct reader *reader, struct rule *rule)
{
    const char *start, *close;
    uint32_t options;

    skip_blanks(reader);
    start = reader->at;
    if (start >= reader->end || *start != '/')
        return wrong(reader, start, "a pattern between slashes is needed here, as in /^flash/i");
    for (close = start + 1; close < reader->end && *close != '/'; close++)
        if (*close == '\\' && close + 1 < reader->end)
            close++;
    if (close >= reader->end)
        return wrong(reader, start,
                     "the pattern has no closing slash; write \\/ for a slash in it");
    reader->at = close + 1;
    if (!read_flags(reader, &options) ||
        !compile(reader, start + 1, (size_t)(close - start - 1), options, rule))
        return false;
    rule->pattern = strndup(start, (size_t)(reader->at - start));
    return rule->pattern != NULL || wrong(reader, start, "out of memory");
}

static bool read_recipients(struct reader *reader, struct rule *rule)
{
    static const char *const names[] = {"all", "to", "cc"};
    int len;
    const char *word = next_word(reader, &len);

    for (int n = 0; n < 3; n++) {
        bool named =
            (size_t)len == strlen(names[n]) && strncasecmp(word, names[n], (size_t)len) == 0;

        if (named || (len == 1 && *word == '0' + n)) {
            rule->recipients = (enum rules_recipients)n;
            return true;
        }
    }
    return wrong(reader, word, "recipients are needed here: all, to or cc (or 0, 1, 2)");
}

static bool read_priority(struct reader *reader, struct rule *rule)
{
    int len;
    const char *word = next_word(reader, &len);
    int priority = 0;

    for (int n = 0; n < len; n++) {
        if (!isdigit((unsigned char)word[n]) || priority >= reader->priority_count) {
            len = 0;
            break;
        }
        priority = priority * 10 + (word[n] - '0');
    }
    if (len == 0 || priority >= reader->priority_count)
        return wrong(reader, word, "a priority from 0 to %d is needed here",
                     reader->priority_count - 1);
    rule->priority = priority;
    word = next_word(reader, &len);
    if (len > 0)
        return wrong(reader, word, "the rule ends after its priority; what is this?");
    return true;
}

static void read_rule(struct reader *reader, struct rules *rules)
{
    struct rule *rule = &rules->rules[rules->count];
    size_t len = (size_t)(reader->end - reader->line_start);

    skip_blanks(reader);
    if (reader->at == reader->end || *reader->at == '#')
        return;
    if (memchr(reader->line_start, '\0', len) != NULL) {
        wrong(reader, reader->line_start, "a NUL byte: is this a text file?");
        return;
    }
    rules->count++; /* what was read of a bad rule is freed with the others */
    rule->line = reader->line;
    if (read_source(reader, rule) && read_pattern(reader, rule) && read_recipients(reader, rule))
        read_priority(reader, rule);
}

struct rules *rules_parse(const char *text, size_t text_len, const char *file, int priority_count,
                          struct diag *diag)
{
    struct reader reader = {.file = file, .priority_count = priority_count, .diag = diag};
    const char *end = text + text_len;
    unsigned errors = diag->errors;
    size_t lines = 1;
    struct rules *rules = calloc(1, sizeof *rules);

    for (const char *at = text; at < end; at++)
        lines += *at == '\n';
    if (rules == NULL || (rules->rules = calloc(lines, sizeof *rules->rules)) == NULL)
        goto no_memory;
    rules->priority_count = priority_count;
    for (const char *at = text; at < end; at = reader.end + 1) {
        reader.line++;
        reader.line_start = reader.at = at;
        reader.end = memchr(at, '\n', (size_t)(end - at));
        if (reader.end == NULL)
            reader.end = end;
        read_rule(&reader, rules);
    }
    if (diag->errors != errors) {
        rules_free(&rules);
        return NULL;
    }
    if (rules_index(rules))
        return rules;
no_memory:
    diag_error(diag, file, 0, "out of memory");
    rules_free(&rules);
    return NULL;
}

struct rules *rules_load(const char *file, int priority_count, struct diag *diag)
{
    size_t text_len;
    char *text = file_read(file, RULES_FILE_MAX, &text_len);
    struct rules *rules;

    if (text == NULL) {
        diag_error(diag, file, 0, "%s", strerror(errno));
        return NULL;
    }
    rules = rules_parse(text, text_len, file, priority_count, diag);
    free(text);
    return rules;
}
