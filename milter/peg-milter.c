/* peg-milter - decide a priority for each recipient, and record it in the decision table */
#include "lib/options.h"
#include "milter/service.h"

static const char usage[] = "Usage: peg-milter [-f] [--root DIR]\n"
                            "Decide a priority for each recipient of the frontends' mail.\n"
                            "\n" OPTIONS_DAEMON_USAGE "\n"
                            "SIGUSR1 reads configuration and rules again, SIGTERM ends it.\n";

int main(int argc, char **argv)
{
    struct options options = {.program = "peg-milter", .usage = usage, .root = ""};

    return options_run_daemon(&options, argc, argv, milter_service_run);
}
