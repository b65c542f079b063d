/* peg-tcpmap - answer Postfix's transport lookups (tcp_table(5)) from the decision table */
#include "lib/options.h"
#include "tcpmap/service.h"

static const char usage[] = "Usage: peg-tcpmap [-f] [--root DIR]\n"
                            "Answer the frontends' transport lookups from the decision table.\n"
                            "\n" OPTIONS_DAEMON_USAGE "\n"
                            "SIGUSR1 reads the settings again, SIGTERM ends it.\n";

int main(int argc, char **argv)
{
    struct options options = {.program = "peg-tcpmap", .usage = usage, .root = ""};

    return options_run_daemon(&options, argc, argv, tcpmap_service_run);
}
