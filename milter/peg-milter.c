/* peg-milter - decide a priority for each recipient, and record it in the decision table */
#include <stdbool.h>
#include <stddef.h>

#include "lib/options.h"
#include "milter/service.h"

static const char usage[] = "Usage: peg-milter [-f] [--root DIR]\n"
                            "Decide a priority for each recipient of the frontend's mail.\n"
                            "\n"
                            "  -f          stay in the foreground, log on stderr\n"
                            "  --root DIR  the gateway below DIR instead of the system's\n"
                            "  --help      print this and exit\n"
                            "  --version   print the version and exit\n"
                            "\n"
                            "SIGUSR1 reads configuration and rules again, SIGTERM ends it.\n";

int main(int argc, char **argv)
{
    static const struct option long_options[] = {OPTIONS_COMMON};
    struct options options = {.program = "peg-milter", .usage = usage, .root = ""};
    bool foreground = false;
    int opt;

    while ((opt = getopt_long(argc, argv, "f", long_options, NULL)) != -1) {
        if (opt == 'f')
            foreground = true;
        else
            options_common(&options, opt);
    }
    if (optind < argc)
        options_wrong(&options, "unexpected argument '%s'", argv[optind]);
    return milter_service_run(&options, foreground);
}
