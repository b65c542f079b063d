/* peg-ctl - start, stop and look after all processes of the gateway, with and without systemd */
#include <stdbool.h>
#include <stddef.h>

#include "admin/process.h"
#include "ctl/ctl.h"
#include "lib/options.h"

static const char usage[] =
    "Usage: peg-ctl start | stop | restart | reload | status [NAME...] [--root DIR]\n"
    "Start and stop the daemons, the instances and the frontends of the gateway; where systemd\n"
    "runs them, through systemctl.\n"
    "\n"
    "  start       load the marks of DSCP_CLASS, start what does not run; return when it serves\n"
    "  stop        stop what runs; return when it is gone\n"
    "  restart     both\n"
    "  reload      have what runs read its configuration again\n"
    "  status      say what runs, and whether the marks of DSCP_CLASS are loaded; exit status 0\n"
    "              if all is as it should be, 1 if not\n"
    "\n"
    "  NAME        milter, tcpmap, monitor, frontend, urgent (with URGENT_LISTEN) or a priority;\n"
    "              without it: all\n"
    "  --direct    start and stop without systemctl, as its units do\n"
    "  --root DIR  the gateway below DIR instead of the system's\n"
    "  --help      print this and exit\n"
    "  --version   print the version and exit\n"
    "\n"
    "The units have two more commands:\n"
    "\n"
    "  prepare     make what a daemon needs that is not started by root\n"
    "  recovered   have the frontends try again what waited for a part that has been started\n";

int main(int argc, char **argv)
{
    static const struct option long_options[] = {{"direct", no_argument, NULL, 'd'},
                                                 OPTIONS_COMMON};
    struct options options = {.program = "peg-ctl", .usage = usage, .root = ""};
    bool directly = false;
    int opt;

    process_begin();
    while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (opt == 'd')
            directly = true;
        else
            options_common(&options, opt);
    }
    if (optind == argc)
        options_wrong(&options, "a command is needed: start, stop, restart, reload or status");
    return ctl_run(&options, argv[optind], argv + optind + 1, directly);
}
