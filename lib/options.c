/* options - what all command lines have in common */
#include "lib/options.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int status(const struct options *options, int usual)
{
    return options->failure_status != 0 ? options->failure_status : usual;
}

static const char *absolute_root(const struct options *options, const char *root)
{
    static char path[PATH_MAX];

    if (realpath(root, path) == NULL) {
        fprintf(stderr, "%s: --root %s: %m; make that folder first\n", options->program, root);
        exit(status(options, EXIT_FAILED));
    }
    if (strcmp(path, "/") == 0)
        path[0] = '\0';
    return path;
}

void options_common(struct options *options, int opt)
{
    switch (opt) {
    case 'R':
        options->root = absolute_root(options, optarg);
        break;
    case 'H':
        fputs(options->usage, stdout);
        exit(EXIT_DONE);
    case 'V':
        printf("%s (priority email gateway) %s\n", options->program, PEG_VERSION);
        exit(EXIT_DONE);
    default: /* getopt_long() has said what is wrong */
        fprintf(stderr, "Try '%s --help'.\n", options->program);
        exit(status(options, EXIT_USAGE));
    }
}

int options_run_daemon(struct options *options, int argc, char **argv,
                       int (*run)(const struct options *options, bool foreground))
{
    static const struct option long_options[] = {OPTIONS_COMMON};
    bool foreground = false;
    int opt;

    while ((opt = getopt_long(argc, argv, "f", long_options, NULL)) != -1) {
        if (opt == 'f')
            foreground = true;
        else
            options_common(options, opt);
    }
    if (optind < argc)
        options_wrong(options, "unexpected argument '%s'", argv[optind]);
    return run(options, foreground);
}

void options_wrong(const struct options *options, const char *fmt, ...)
{
    va_list args;

    fprintf(stderr, "%s: ", options->program);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\nTry '%s --help'.\n", options->program);
    exit(status(options, EXIT_USAGE));
}
