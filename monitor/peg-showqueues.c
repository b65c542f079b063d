/* peg-showqueues - print how many messages stand in the queues of all instances */
#include <stdio.h>

#include "lib/options.h"
#include "lib/settings.h"
#include "monitor/showqueues.h"

static const char usage[] =
    "Usage: peg-showqueues [--root DIR]\n"
    "Print how many messages stand in the queues of all Postfix instances.\n"
    "\n"
    "  --root DIR  the gateway below DIR instead of the system's\n"
    "  --help      print this and exit\n"
    "  --version   print the version and exit\n";

int main(int argc, char **argv)
{
    static const struct option long_options[] = {OPTIONS_COMMON};
    struct options options = {.program = "peg-showqueues", .usage = usage, .root = ""};
    struct diag diag = diag_to_stderr();
    struct settings *settings;
    static struct survey survey; /* large for a stack */
    bool ok;
    int opt;

    while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        options_common(&options, opt);
    if (optind < argc)
        options_wrong(&options, "unexpected argument '%s'", argv[optind]);
    settings = settings_load(options.root, &diag);
    if (settings == NULL)
        return EXIT_FAILED;
    ok = survey_take(settings, SURVEY_COUNTS, NULL, NULL, &survey) &&
         showqueues_print(&survey, options.program, stdout, stderr);
    if (fflush(stdout) != 0) {
        fprintf(stderr, "%s: cannot write: %m\n", options.program);
        ok = false;
    }
    settings_free(&settings);
    return ok ? EXIT_DONE : EXIT_FAILED;
}
