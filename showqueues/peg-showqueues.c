/* peg-showqueues - print what stands in the queues of all instances */
#include <errno.h>
#include <stdio.h>

#include "showqueues/show.h"
#include "showqueues/show_check.h"
#include "showqueues/watch_here.h"

static const char usage[] =
    "Usage: peg-showqueues [--age] [--json] [--instance=NAME] [--root DIR]\n"
    "       peg-showqueues --destinations[=N] [--json] [--instance=NAME] [--root DIR]\n"
    "       peg-showqueues --check [--warning=N] [--critical=N] [--warning-age=TIME]\n"
    "                      [--critical-age=TIME] [--instance=NAME] [--root DIR]\n"
    "       peg-showqueues --watch[=SECONDS] [--instance=NAME] [--root DIR]\n"
    "Print how many messages stand in the queues of all Postfix instances.\n"
    "\n"
    "  --age       and how long the oldest one in each has been there\n"
    "  --json      as JSON; with --age sizes, recipients and the oldest message as well\n"
    "  --destinations[=N]\n"
    "              instead: for how many recipients in each domain mail waits, and for how many\n"
    "              minutes; the N largest domains of each instance, 20 by default, all with 0\n"
    "  --check     instead: one line, exit status and figures of a monitoring plugin (Nagios):\n"
    "              critical where a Postfix, peg-milter or peg-tcpmap does not run, or a queue is\n"
    "              beyond --critical; warning where one is beyond --warning, or QUEUE_LIMIT or\n"
    "              QUEUE_AGE_LIMIT of the configuration; unknown where that cannot be seen\n"
    "  --warning=N, --critical=N\n"
    "              so many messages may be in one queue\n"
    "  --warning-age=TIME, --critical-age=TIME\n"
    "              so old may the oldest one be: 90s, 10m, 2h, 1d\n"
    "  --watch     instead: all of it as it changes, with messages in and out per second, every 2\n"
    "              seconds or as many as are given, until q is typed\n"
    "  --instance=NAME\n"
    "              only that one: postfix4 or 4, postfix-frontend or frontend, postfix-urgent or\n"
    "              urgent\n"
    "  --root DIR  the gateway below DIR instead of the system's\n"
    "  --help      print this and exit\n"
    "  --version   print the version and exit\n";

static int run(const struct show_options *options)
{
    if (options->check)
        return show_check_run(options);
    if (options->destinations)
        return show_run_destinations(options);
    if (options->watch_s > 0)
        return watch_here(options);
    if (options->json)
        return show_run_json(options);
    if (options->age)
        return show_run_age(options);
    return show_run_counts(options);
}

int main(int argc, char **argv)
{
    struct show_options options;
    int status;

    show_options_read(&options, usage, argc, argv);
    status = run(&options);
    errno = EIO; /* of an earlier write nobody knows it any more */
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        fprintf(stderr, "%s: cannot write: %m\n", options.common.program);
        return options.check ? SHOW_UNKNOWN : EXIT_FAILED;
    }
    return status;
}
