/* log - log lines in Postfix's manner, to syslog, a file, or stderr */
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 4096 }; /* longer lines are cut */

/* Written by log_open() alone, before any thread is started. */
static const char *log_program = "peg";
static enum log_target log_target = LOG_TO_STDERR;
static int log_fd = STDERR_FILENO;
static char log_host[256];

/* As syslog daemons write it. */
static void find_host(void)
{
    if (gethostname(log_host, sizeof log_host - 1) != 0)
        strcpy(log_host, "localhost");
    log_host[strcspn(log_host, ".")] = '\0';
}

enum log_target log_where(void)
{
    return log_target;
}

int log_descriptor(void)
{
    return log_fd;
}

bool log_open(const char *program, enum log_target target, const char *file)
{
    log_program = program;
    log_target = LOG_TO_STDERR;
    log_fd = STDERR_FILENO;
    if (target == LOG_TO_FILE) {
        int fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

        if (fd < 0)
            return false;
        log_fd = fd;
        find_host();
    } else if (target == LOG_TO_OPEN_FILE) {
        find_host();
    } else if (target == LOG_TO_SYSLOG) {
        openlog(program, LOG_PID | LOG_NDELAY, LOG_MAIL);
    }
    log_target = target;
    return true;
}

/* One write(2) for one line: with O_APPEND, lines of several processes do not mix. */
static void write_line(const char *text)
{
    char line[LINE_SIZE + 512];
    char stamp[32] = "";
    int len;

    if (log_target == LOG_TO_FILE || log_target == LOG_TO_OPEN_FILE) {
        time_t now = time(NULL);
        struct tm tm;

        if (localtime_r(&now, &tm) != NULL)
            strftime(stamp, sizeof stamp, "%b %e %H:%M:%S", &tm);
        len = snprintf(line, sizeof line, "%s %s %s[%ld]: %s\n", stamp, log_host, log_program,
                       (long)getpid(), text);
    } else {
        len = snprintf(line, sizeof line, "%s: %s\n", log_program, text);
    }
    if (len > 0) {
        ssize_t done = write(log_fd, line, (size_t)len);

        (void)done; /* there is nowhere left to complain */
    }
}

static void PEG_PRINTF(3, 0) log_at(int priority, const char *label, const char *fmt, va_list args)
{
    int saved_errno = errno;
    char text[LINE_SIZE];
    size_t used = strlen(label);

    memcpy(text, label, used + 1);
    errno = saved_errno;
    vsnprintf(text + used, sizeof text - used, fmt, args);
    for (char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = '?';
    if (log_target == LOG_TO_SYSLOG)
        syslog(priority, "%s", text);
    else
        write_line(text);
    errno = saved_errno;
}

void log_info(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    log_at(LOG_INFO, "", fmt, args);
    va_end(args);
}

void log_warn(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    log_at(LOG_WARNING, "warning: ", fmt, args);
    va_end(args);
}

void log_error(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    log_at(LOG_ERR, "error: ", fmt, args);
    va_end(args);
}

void log_fatal(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    log_at(LOG_CRIT, "fatal: ", fmt, args);
    va_end(args);
    exit(1);
}
