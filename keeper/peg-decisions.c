/* peg-decisions - what the gateway remembers of its decisions, and forgetting what it may */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "keeper/decisions.h"
#include "lib/options.h"

static const char usage[] =
    "Usage: peg-decisions status [--root DIR]\n"
    "       peg-decisions tidy [--force] [--log] [--root DIR]\n"
    "Show what the gateway remembers of its decisions, or forget what it needs no more.\n"
    "\n"
    "  status      print what is in the decision table and on disk, `name value` a line\n"
    "  tidy        look into the frontends' queues, and forget what no mail there needs;\n"
    "              peg-tcpmap runs this by itself when it is wanted\n"
    "\n"
    "  --force     write the decisions on disk anew even where it is hardly worthwhile\n"
    "  --log       write to the gateway's log instead of standard error\n"
    "  --root DIR  the gateway below DIR instead of the system's\n"
    "  --help      print this and exit\n"
    "  --version   print the version and exit\n";

int main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"force", no_argument, NULL, 'f'}, {"log", no_argument, NULL, 'l'}, OPTIONS_COMMON};
    struct options options = {.program = "peg-decisions", .usage = usage, .root = ""};
    struct decisions_request request = {.program = "peg-decisions"};
    int opt;

    while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (opt == 'f')
            request.force = true;
        else if (opt == 'l')
            request.log = true;
        else
            options_common(&options, opt);
    }
    request.root = options.root;
    if (optind == argc)
        options_wrong(&options, "a command is needed: status or tidy");
    if (optind + 1 < argc)
        options_wrong(&options, "unexpected argument '%s'", argv[optind + 1]);
    if (strcmp(argv[optind], "tidy") == 0)
        return decisions_tidy(&request);
    if (strcmp(argv[optind], "status") != 0)
        options_wrong(&options, "there is no command '%s'", argv[optind]);
    if (request.force || request.log)
        options_wrong(&options, "--force and --log belong to tidy");
    return decisions_status(&request);
}
