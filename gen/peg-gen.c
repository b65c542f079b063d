/* peg-gen - make the configuration of the frontends and the instances from the settings */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "admin/process.h"
#include "gen/apply.h"
#include "gen/commands.h"
#include "lib/options.h"

static const char usage[] =
    "Usage: peg-gen check | diff | apply [--no-restart | --drain[=SECONDS]] [--root DIR]\n"
    "       peg-gen doctor [--root DIR]\n"
    "       peg-gen import-rules FILE\n"
    "Make the Postfix configuration of the gateway from /etc/priority-email-gateway.conf.\n"
    "\n"
    "  check         say what is wrong with the settings, the rules and this machine\n"
    "  diff          show what apply would change\n"
    "  apply         change it, and have running processes take it over\n"
    "  doctor        examine a gateway that runs, and send a probe through every priority\n"
    "  import-rules  print the rules of FILE, addPrivatePriorityDomain.conf in Perl syntax, as a\n"
    "                rules file; what is Perl to be run is named, and left in it as a comment\n"
    "\n"
    "  --no-restart       leave running processes alone\n"
    "  --drain[=SECONDS]  let instances that PRIORITY_COUNT no longer includes, and the urgent\n"
    "                     frontend without URGENT_LISTEN, deliver what they have, for 600 seconds\n"
    "                     at most, and remove them then\n"
    "  --root DIR         the gateway below DIR instead of the system's\n"
    "  --help             print this and exit\n"
    "  --version          print the version and exit\n"
    "\n"
    "Called as update-priority-email-gateway, apply need not be said.\n";

/* The name of the original's command that does what apply does. */
static const char original_name[] = "update-priority-email-gateway";

int main(int argc, char **argv)
{
    static const struct option long_options[] = {{"no-restart", no_argument, NULL, 'n'},
                                                 {"drain", optional_argument, NULL, 'd'},
                                                 OPTIONS_COMMON};
    struct options options = {.program = "peg-gen", .usage = usage, .root = ""};
    struct apply_options apply = {.restart = true};
    int opt;

    process_begin();
    while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (opt == 'n')
            apply.restart = false;
        else if (opt == 'd')
            commands_take_drain(&options, optarg, &apply);
        else
            options_common(&options, opt);
    }
    if (optind == argc && strcmp(program_invocation_short_name, original_name) == 0)
        return commands_run(&options, &apply, (char *[]){(char[]){"apply"}, NULL});
    return commands_run(&options, &apply, argv + optind);
}
