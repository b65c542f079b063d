/* decisions - the commands of peg-decisions: what the gateway remembers, and forgetting some of it
 */
#ifndef PEG_DECISIONS_H
#define PEG_DECISIONS_H

#include <stdbool.h>

#include "lib/attr.h"

struct decisions_request {
    const char *program; /* as in the log */
    const char *root;    /* "" or the argument of --root */
    bool force;          /* tidy: even where it is hardly worthwhile */
    bool log;            /* tidy: to the gateway's log, not to stderr */
};

/*
 * Each gives up root privileges for ever, in favour of DAEMON_USER, whose files these are, and
 * returns the exit status. Errors go to the log.
 */

/* Print what the decision table and the store hold: a line each, name and value. Changes nothing.
 */
int decisions_status(const struct decisions_request *request) PEG_MUST_USE;

/* keeper/tidy.h */
int decisions_tidy(const struct decisions_request *request) PEG_MUST_USE;

#endif
