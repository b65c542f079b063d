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

static void PEG_PRINTF(5, 0) report(struct diag *diag, const char *file, unsigned line,
                                    unsigned column, const char *fmt, va_list args)
{
    char text[TEXT_SIZE];
    int len = snprintf(text, sizeof text, "%s:", file);

    if (line > 0 && len >= 0 && (size_t)len < sizeof text)
        len += snprintf(text + len, sizeof text - (size_t)len, "%u:", line);
    if (column > 0 && len >= 0 && (size_t)len < sizeof text)
        len += snprintf(text + len, sizeof text - (size_t)len, "%u:", column);
    if (len >= 0 && (size_t)len + 1 < sizeof text) {
        text[len++] = ' ';
        vsnprintf(text + len, sizeof text - (size_t)len, fmt, args);
    }
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
