/* verdict - what peg-gen doctor found, a line each on stdout */
#include "doctor/verdict.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const names[] = {"ok", "warning", "FAILED"};

static void begin(struct verdicts *verdicts, enum verdict verdict)
{
    verdicts->counts[verdict]++;
    printf("%-8s ", names[verdict]);
}

void verdict_say(struct verdicts *verdicts, enum verdict verdict, const char *about,
                 const char *fmt, ...)
{
    va_list args;

    begin(verdicts, verdict);
    printf("%s: ", about);
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    putchar('\n');
    fflush(stdout); /* what comes next may take a while */
}

static void emit_failed(void *arg, const char *text)
{
    begin(arg, VERDICT_FAILED);
    printf("%s\n", text);
}

static void emit_warning(void *arg, const char *text)
{
    begin(arg, VERDICT_WARNING);
    printf("%s\n", text);
}

struct diag verdict_diag(struct verdicts *verdicts)
{
    return (struct diag){.emit = emit_failed, .warn = emit_warning, .arg = verdicts};
}
