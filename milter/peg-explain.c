/* peg-explain - say what the rules make of a message, or what was decided for one */
#include "lib/options.h"
#include "milter/explain.h"

static const char usage[] =
    "Usage: peg-explain [--root DIR] [-f SENDER] [--client ADDR] [--auth USER] RCPT... < message\n"
    "       peg-explain [--root DIR] --queue-id ID\n"
    "Print which rules match a message, and which priority and instance each recipient gets.\n"
    "Nothing is sent. With --queue-id: print what was decided for a message that a frontend\n"
    "has in its queue (run this as root).\n"
    "\n"
    "  -f SENDER      envelope sender, for rules on {mail_addr}\n"
    "  --client ADDR  address of the client, for rules on {client_addr}\n"
    "  --auth USER    name that the client logged in with, for rules on {auth_authen}\n"
    "  --queue-id ID  the message with this queue ID in a frontend; urgent/ID: in the urgent one\n"
    "  --root DIR     the gateway below DIR instead of the system's\n"
    "  --help         print this and exit\n"
    "  --version      print the version and exit\n";

int main(int argc, char **argv)
{
    static const struct option long_options[] = {{"client", required_argument, NULL, 'c'},
                                                 {"auth", required_argument, NULL, 'a'},
                                                 {"queue-id", required_argument, NULL, 'q'},
                                                 OPTIONS_COMMON};
    struct options options = {.program = "peg-explain", .usage = usage, .root = ""};
    struct explain_request request = {.sender = ""};
    const char *queue_id = NULL;
    int opt;

    while ((opt = getopt_long(argc, argv, "f:", long_options, NULL)) != -1) {
        if (opt == 'f')
            request.sender = optarg;
        else if (opt == 'c')
            request.client = optarg;
        else if (opt == 'a')
            request.auth = optarg;
        else if (opt == 'q')
            queue_id = optarg;
        else
            options_common(&options, opt);
    }
    if (queue_id != NULL) {
        if (optind < argc || *request.sender != '\0' || request.client != NULL ||
            request.auth != NULL)
            options_wrong(&options, "--queue-id takes nothing else but --root");
        return explain_decided(options.program, options.root, queue_id);
    }
    if (optind >= argc)
        options_wrong(&options, "name the envelope recipients");
    request.root = options.root;
    request.recipients = argv + optind;
    request.recipient_count = (size_t)(argc - optind);
    return explain(&request);
}
