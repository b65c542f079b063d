/* explain - say what the rules make of a message, without sending it */
#ifndef PEG_EXPLAIN_H
#define PEG_EXPLAIN_H

#include <stddef.h>

struct explain_request {
    const char *root;   /* "" or the argument of --root */
    const char *sender; /* "" for the null sender */
    const char *client; /* value of {client_addr}; NULL: not known */
    const char *auth;   /* value of {auth_authen}; NULL: not authenticated */
    char **recipients;
    size_t recipient_count;
};

/*
 * Read a message from standard input and print the rules that match, then for each recipient what
 * it is, which rule decides, and priority and instance. Returns the exit status.
 */
int explain(const struct explain_request *request);

#endif
