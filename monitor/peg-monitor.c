/* peg-monitor - write what the queues hold, and what is counted, into files, once a minute */
#include "lib/options.h"
#include "monitor/service.h"

static const char usage[] =
    "Usage: peg-monitor [-f] [--root DIR]\n"
    "Write how many messages stand in each queue of all Postfix instances into files, once a\n"
    "minute, and metrics for Prometheus into one more, peg.prom (MONITORING_DIR). Answer on a\n"
    "socket who may not look at the queues himself (MONITORING_GROUP): peg-showqueues asks there.\n"
    "Serve snmpd, and send traps through it (AGENTX_SOCKET).\n"
    "\n" OPTIONS_DAEMON_USAGE "\n"
    "SIGUSR1 reads the configuration again, SIGTERM ends it and removes the files.\n";

int main(int argc, char **argv)
{
    struct options options = {.program = "peg-monitor", .usage = usage, .root = ""};

    return options_run_daemon(&options, argc, argv, monitor_service_run);
}
