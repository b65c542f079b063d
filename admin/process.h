/*
 * process - run other programs: an argument list, never a shell
 *
 * What a program writes to its standard output and error is kept in anonymous memory files, not
 * pipes: a daemon that the program leaves behind may hold them open without anybody waiting for it.
 */
#ifndef PEG_ADMIN_PROCESS_H
#define PEG_ADMIN_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/attr.h"

/*
 * For the start of main(): make good what a caller may have left this process with. Standard input,
 * output and error that are closed would be taken by the files opened first; a umask of 077 would
 * keep Postfix out of what is made; SIGCHLD ignored would hide how a program ended. SIGPIPE is
 * ignored from then on, so that a reader who goes away does not end a change half way; programs
 * that are run get the default.
 */
void process_begin(void);

/* How a program and all that it starts share the processors with others (sched(7)). */
struct process_share {
    int nice_level;
    bool batch; /* SCHED_BATCH rather than SCHED_OTHER: what becomes ready waits for its turn */
};

struct process {
    pid_t pid;
    int out_fd;
    int err_fd;
};

/*
 * Start argv[0], found by PATH, with standard input from /dev/null. Without a share it has ours;
 * where the policy of the share is refused, it is started without. Returns false after an error on
 * stderr. Several may run at once; each needs one process_finish(). It has a process group of its
 * own and no blocked signals, and is killed when this process ends; what it leaves behind is not.
 */
bool process_start(struct process *process, const char *const argv[],
                   const struct process_share *share) PEG_MUST_USE;

/* The same with another standard input, which stays the caller's. */
bool process_start_from(struct process *process, const char *const argv[],
                        const struct process_share *share, int input_fd) PEG_MUST_USE;

/*
 * Wait for the program. Returns its exit status, or 128 + signal number. *out_r and *err_r, where
 * not NULL, get what it wrote, to be freed by the caller.
 */
int process_finish(struct process *process, char **out_r, char **err_r);

/*
 * Run a program to its end. Returns what it wrote to standard output, to be freed by the caller;
 * NULL where it failed, after printing its command and errors on stderr.
 */
char *process_output(const char *const argv[]) PEG_MUST_USE;

/* The same where the output does not matter. Returns whether it succeeded. */
bool process_run(const char *const argv[]) PEG_MUST_USE;

/* Print the command and what it wrote on stderr, as one says why it failed. */
void process_report(const char *const argv[], int status, const char *out, const char *err);

#endif
