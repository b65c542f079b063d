/* diag - problems found in what an operator wrote */
#include "lib/diag.h"

#include <stdio.h>

#include "lib/log.h"

enum { TEXT_SIZE = 2048 }; /* longer reports are cut, not lost */

static void emit_stderr(void *arg, const char *text)
{
    (void)arg;
    fprintf(stderr, "%s\n", text);
}

static void emit_log(void *arg, const char *text)
{
    (void)arg;
    log_warn("%s", text);
}

struct diag diag_to_stderr(void)
{
    return (struct diag){.emit = emit_stderr};
}

struct diag diag_to_log(void)
{
    return (struct diag){.emit = emit_log};
}

/* word stands before the text: "warning: " or nothing. */
static void PEG_PRINTF(6, 0)
    format(char text_r[TEXT_SIZE], const char *file, unsigned line, unsigned column,
           const char *word, const char *fmt, va_list args)
{
    int len = snprintf(text_r, TEXT_SIZE, "%s:", file);

    if (line > 0 && len >= 0 && len < TEXT_SIZE)
        len += snprintf(text_r + len, (size_t)(TEXT_SIZE - len), "%u:", line);
    if (column > 0 && len >= 0 && len < TEXT_SIZE)
        len += snprintf(text_r + len, (size_t)(TEXT_SIZE - len), "%u:", column);
    if (len >= 0 && len < TEXT_SIZE)
        len += snprintf(text_r + len, (size_t)(TEXT_SIZE - len), " %s", word);
    if (len >= 0 && len < TEXT_SIZE)
        vsnprintf(text_r + len, (size_t)(TEXT_SIZE - len), fmt, args);
}

static void PEG_PRINTF(5, 0) report(struct diag *diag, const char *file, unsigned line,
                                    unsigned column, const char *fmt, va_list args)
{
    char text[TEXT_SIZE];

    format(text, file, line, column, "", fmt, args);
    diag->errors++;
    diag->emit(diag->arg, text);
}

void diag_error(struct diag *diag, const char *file, unsigned line, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    report(diag, file, line, 0, fmt, args);
    va_end(args);
}

void diag_error_at(struct diag *diag, const char *file, unsigned line, unsigned column,
                   const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    report(diag, file, line, column, fmt, args);
    va_end(args);
}

void diag_warning(struct diag *diag, const char *file, unsigned line, const char *fmt, ...)
{
    char text[TEXT_SIZE];
    va_list args;

    va_start(args, fmt);
    format(text, file, line, 0, diag->warn != NULL ? "" : "warning: ", fmt, args);
    va_end(args);
    diag->warnings++;
    if (diag->warn != NULL)
        diag->warn(diag->arg, text);
    else
        diag->emit(diag->arg, text);
}
