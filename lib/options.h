/*
 * options - what all command lines have in common: --root DIR, --help, --version
 *
 * Exit status everywhere: 0 done, 1 failed, 2 wrong usage.
 */
#ifndef PEG_OPTIONS_H
#define PEG_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

#define PEG_VERSION "0.1.0"

struct options {
    const char *program; /* as in the usage text, "peg-gen" */
    const char *usage;   /* the whole text of --help, with newlines */
    const char *root;    /* "" or the argument of --root, without trailing slashes */
    int failure_status;  /* of what is wrong with the command line; 0: as above */
};

/* To be put at the end of a program's own long options. */
#define OPTIONS_COMMON                                                        \
    {"root", required_argument, NULL, 'R'}, {"help", no_argument, NULL, 'H'}, \
        {"version", no_argument, NULL, 'V'},                                  \
    {                                                                         \
        NULL, 0, NULL, 0                                                      \
    }

/*
 * Handle what getopt_long() returned where the program does not know it itself: sets root; prints
 * help or version and exits 0; anything else prints how to get help and exits 2. Not for use after
 * threads were started. The root must be an absolute path or is made one.
 */
void options_common(struct options *options, int opt);

/* Of the usage text of a daemon: what it can be given. */
#define OPTIONS_DAEMON_USAGE                                        \
    "  -f          stay in the foreground, log on stderr\n"         \
    "  --root DIR  the gateway below DIR instead of the system's\n" \
    "  --help      print this and exit\n"                           \
    "  --version   print the version and exit\n"

/* The whole main() of a daemon: `PROGRAM [-f]` and the common options; run gives the exit status.
 */
int options_run_daemon(struct options *options, int argc, char **argv,
                       int (*run)(const struct options *options, bool foreground));

/* Print `program: text` and how to get help to stderr, and exit 2. */
void options_wrong(const struct options *options, const char *fmt, ...)
    PEG_PRINTF(2, 3) PEG_NORETURN;

#endif
