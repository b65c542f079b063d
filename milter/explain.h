/* explain - say what the rules make of a message without sending it, or what was decided for one */
#ifndef PEG_EXPLAIN_H
#define PEG_EXPLAIN_H

#include <stddef.h>

struct explain_request {
    const char *root;   /* "" or the argument of --root */
    const char *sender; /* "" for the null sender */
    const char *client; /* its IP address, for {client_addr}; NULL: not known */
    const char *auth;   /* value of {auth_authen}; NULL: not authenticated */
    char **recipients;
    size_t recipient_count;
};

/*
 * Read a message from standard input and print the rules that match, then for each recipient what
 * it is, which rule decides, and priority and instance. Returns the exit status.
 */
int explain(const struct explain_request *request);

/*
 * Print what was decided for the message with this queue ID, or name (lib/message_name.h): when, by
 * which way it goes, and for each recipient the rule, priority, instance, and the route that
 * Postfix is given. That of each frontend, where both have one. Returns the exit status; errors go
 * to stderr. Gives up root privileges for ever.
 */
int explain_decided(const char *program, const char *root, const char *queue_id);

#endif
