/* peg-bounce - run BOUNCE_COMMAND when a Postfix returns a message to its sender */
#include "bounce/event.h"
#include "lib/options.h"

static const char usage[] = "Usage: peg-bounce [--root DIR] NAME < NOTICE\n"
                            "Run BOUNCE_COMMAND for a bounce of the Postfix of that name, such as "
                            "postfix4. Postfix itself\n"
                            "calls this, by the alias `bouncecommand`.\n"
                            "\n"
                            "  --root DIR  the gateway below DIR instead of the system's\n"
                            "  --help      print this and exit\n"
                            "  --version   print the version and exit\n";

int main(int argc, char **argv)
{
    static const struct option long_options[] = {OPTIONS_COMMON};
    struct options options = {.program = "peg-bounce", .usage = usage, .root = ""};
    int opt;

    while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        options_common(&options, opt);
    if (optind + 1 != argc)
        options_wrong(&options, "the name of one Postfix is needed");
    return event_run(&options, argv[optind]);
}
