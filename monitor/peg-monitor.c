/* peg-monitor - write how many messages stand in the queues into files, once a minute */
#include "lib/options.h"
#include "monitor/service.h"

static const char usage[] =
    "Usage: peg-monitor [-f] [--root DIR]\n"
    "Write how many messages stand in each queue of all Postfix instances into files, once a\n"
    "minute (MONITORING_DIR), answer who asks on a socket, as peg-showqueues does where it may\n"
    "not look itself (MONITORING_GROUP), and serve snmpd and warn (AGENTX_SOCKET).\n"
    "\n" OPTIONS_DAEMON_USAGE "\n"
    "SIGUSR1 reads the configuration again, SIGTERM ends it and removes the files.\n";

int main(int argc, char **argv)
{
    struct options options = {.program = "peg-monitor", .usage = usage, .root = ""};

    return options_run_daemon(&options, argc, argv, monitor_service_run);
}
