/*
 * run - run the bounce command: an argument list, never a shell
 *
 * The command has an environment of the facts (lib/command.h) and PATH, the notice as its standard
 * input, a time limit, and a session of its own: what it leaves behind in its process group is
 * killed.
 */
#ifndef PEG_BOUNCE_RUN_H
#define PEG_BOUNCE_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/command.h"

enum { RUN_TIME_LIMIT_S = 60, RUN_OUTPUT_SIZE = 1024 };

#define RUN_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum run_end { RUN_EXITED, RUN_SIGNALED, RUN_TIMED_OUT, RUN_STOPPED };

struct run_result {
    enum run_end end;
    int status;                   /* exit status, or signal number */
    char output[RUN_OUTPUT_SIZE]; /* what it wrote, standard error too, as far as there is room */
};

struct run_input {
    char *const *words; /* what to run; words[0] is looked for in RUN_PATH where it has no slash */
    const char *const *facts;
    const char *notice;
    size_t notice_len;
    int stop_fd; /* becomes readable when the command shall end at once; -1 for never */
};

/* Whether words[0] of a command can be run, and its path. Thread-safe. */
bool run_find(const char *program, char *path_r, size_t path_size) PEG_MUST_USE;

/* Run it to its end. Blocks SIGCHLD for good. False with errno where it cannot be started. */
bool run_command(const struct run_input *input, struct run_result *result_r) PEG_MUST_USE;

#endif
