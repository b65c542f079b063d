/* peg-tcpmap - answer Postfix's transport lookups (tcp_table(5)) from the decision table */
#include <stdbool.h>
#include <stddef.h>

#include "lib/options.h"
#include "tcpmap/service.h"

static const char usage[] = "Usage: peg-tcpmap [-f] [--root DIR]\n"
                            "Answer the frontend's transport lookups from the decision table.\n"
                            "\n"
                            "  -f          stay in the foreground, log on stderr\n"
                            "  --root DIR  the gateway below DIR instead of the system's\n"
                            "  --help      print this and exit\n"
                            "  --version   print the version and exit\n"
                            "\n"
                            "SIGUSR1 reads the settings again, SIGTERM ends it.\n";

int main(int argc, char **argv)
{
    static const struct option long_options[] = {OPTIONS_COMMON};
    struct options options = {.program = "peg-tcpmap", .usage = usage, .root = ""};
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
    return service_run(&options, foreground);
}
