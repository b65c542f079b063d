/*
 * log - log lines in Postfix's manner, to syslog (facility mail), a file, or stderr
 *
 * Four severities (Postfix src/util/msg.c): info; warning (mail flows, but somebody should look);
 * error (something failed); fatal (this process cannot go on). Lines hold no newline: control
 * characters are written as `?`, since header and address bytes come from strangers.
 *
 * Threads: every call but log_open() may run concurrently. errno is preserved, and %m works.
 */
#ifndef PEG_LOG_H
#define PEG_LOG_H

#include <stdbool.h>

#include "lib/attr.h"

enum log_target {
    LOG_TO_SYSLOG,
    LOG_TO_STDERR,
    LOG_TO_FILE,
    LOG_TO_OPEN_FILE /* as LOG_TO_FILE, but who started this process has opened it as stderr */
};

/*
 * Choose where lines go; before it is called they go to stderr. program stays borrowed. file is for
 * LOG_TO_FILE only; it is opened for appending here, so call this before privileges are dropped.
 * Returns false, with errno, where the file cannot be opened (lines then go to stderr).
 */
bool log_open(const char *program, enum log_target target, const char *file) PEG_MUST_USE;

/* Where lines go. */
enum log_target log_where(void);

/* The descriptor that lines go to; not for LOG_TO_SYSLOG. */
int log_descriptor(void);

void log_info(const char *fmt, ...) PEG_PRINTF(1, 2);
void log_warn(const char *fmt, ...) PEG_PRINTF(1, 2);
void log_error(const char *fmt, ...) PEG_PRINTF(1, 2);

/* Log, then exit with status 1. */
void log_fatal(const char *fmt, ...) PEG_PRINTF(1, 2) PEG_NORETURN;

#endif
