/*
 * tidying - start `peg-decisions tidy` when the decision table asks for it
 *
 * It looks into Postfix's queue, so that claims can be freed, and makes the store smaller; all of
 * that in a process of its own, so that no lookup waits for it. One at a time, and with pauses in
 * proportion to the time that it takes: a long queue costs no more than a short one.
 *
 * In the thread that runs the event base.
 */
#ifndef PEG_TIDYING_H
#define PEG_TIDYING_H

#include <stdbool.h>

#include "lib/attr.h"

struct event_base;
struct tidying;

struct tidying_config {
    const char *root;          /* --root, borrowed */
    bool to_log;               /* its log lines go where those of a daemon go, not to stderr */
    bool (*wanted)(void *arg); /* whether there is something to do */
    void *arg;
};

/* Begin to look for what the table wants, once a second. config is copied. NULL: out of memory. */
struct tidying *tidying_new(struct event_base *base,
                            const struct tidying_config *config) PEG_MUST_USE;

/* Free *tidying and set it to NULL. A process that runs is left to its end. */
void tidying_free(struct tidying **tidying);

#endif
