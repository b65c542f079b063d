/*
 * diag - problems found in what an operator wrote, as `file:line: what is wrong, and what to do`
 *
 * A reader of a file reports every problem it finds and goes on, so that one run of a check names
 * them all. Where the reports go is the caller's choice: stderr for tools, the log for daemons.
 */
#ifndef PEG_DIAG_H
#define PEG_DIAG_H

#include <stdarg.h>

#include "lib/attr.h"

struct diag {
    void (*emit)(void *arg, const char *text); /* text is borrowed, without newline */
    void (*warn)(void *arg, const char *text); /* the same for warnings; NULL: emit gets them, too,
                                                  with the word before them */
    void *arg;
    unsigned errors; /* reports so far, without warnings */
    unsigned warnings;
};

/* A diag whose reports go to stderr, a line each. */
struct diag diag_to_stderr(void);

/* A diag whose reports go to the log (lib/log.h) as warnings. */
struct diag diag_to_log(void);

/*
 * Report one problem. line counts from 1; 0 leaves it out. column counts bytes from 1; 0 leaves it
 * out. Not for concurrent use on one diag.
 */
void diag_error(struct diag *diag, const char *file, unsigned line, const char *fmt, ...)
    PEG_PRINTF(4, 5);
void diag_error_at(struct diag *diag, const char *file, unsigned line, unsigned column,
                   const char *fmt, ...) PEG_PRINTF(5, 6);

/* Report what may go wrong, and stops nothing. */
void diag_warning(struct diag *diag, const char *file, unsigned line, const char *fmt, ...)
    PEG_PRINTF(4, 5);

#endif
