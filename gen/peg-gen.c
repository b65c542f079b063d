/* peg-gen - make the configuration of the frontend and the instances from the settings */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "gen/apply.h"
#include "gen/import_command.h"
#include "lib/options.h"

static const char usage[] =
    "Usage: peg-gen check | diff | apply [--no-restart] [--root DIR]\n"
    "       peg-gen import-rules FILE\n"
    "Make the Postfix configuration of the gateway from /etc/priority-email-gateway.conf.\n"
    "\n"
    "  check         say what is wrong with the settings, the rules and this machine\n"
    "  diff          show what apply would change\n"
    "  apply         change it, and have running processes take it over\n"
    "  import-rules  print the rules of FILE, addPrivatePriorityDomain.conf in Perl syntax, as a\n"
    "                rules file; what is Perl to be run is named, and left in it as a comment\n"
    "\n"
    "  --no-restart  leave running processes alone\n"
    "  --root DIR    the gateway below DIR instead of the system's\n"
    "  --help        print this and exit\n"
    "  --version     print the version and exit\n";

int main(int argc, char **argv)
{
    static const struct option long_options[] = {{"no-restart", no_argument, NULL, 'n'},
                                                 OPTIONS_COMMON};
    static const char *const commands[] = {"check", "diff", "apply"};
    struct options options = {.program = "peg-gen", .usage = usage, .root = ""};
    bool restart = true;
    int opt;

    while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (opt == 'n')
            restart = false;
        else
            options_common(&options, opt);
    }
    if (optind == argc)
        options_wrong(&options, "a command is needed: check, diff, apply or import-rules");
    if (strcmp(argv[optind], "import-rules") == 0) {
        if (optind + 2 != argc || !restart)
            options_wrong(&options, "import-rules takes one file, and no --no-restart");
        return import_command_run(options.root, argv[optind + 1]);
    }
    if (optind + 1 < argc)
        options_wrong(&options, "unexpected argument '%s'", argv[optind + 1]);
    for (int i = APPLY_CHECK; i <= APPLY_APPLY; i++) {
        if (strcmp(argv[optind], commands[i]) != 0)
            continue;
        if (!restart && i != APPLY_APPLY)
            options_wrong(&options, "--no-restart belongs to apply");
        return apply_run(options.root, (enum apply_command)i, restart);
    }
    options_wrong(&options, "there is no command '%s'", argv[optind]);
}
