/*
 * control_batch - commands that run at the same time, and what becomes of them
 *
 * A start of Postfix is a shell script that mostly waits; thirty of them one after the other would
 * take a minute.
 */
#ifndef PEG_CTL_CONTROL_BATCH_H
#define PEG_CTL_CONTROL_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "admin/part.h"
#include "admin/process.h"
#include "lib/attr.h"
#include "lib/settings.h"

enum { BATCH_MAX = 8 }; /* at once */

struct batch {
    struct batch_command {
        char *words[6]; /* NULL at the end */
        struct process process;
    } commands[BATCH_MAX];
    size_t count;
    bool failed;
};

/* Start a part. Where the batch is full this first waits for all that are in it. */
bool batch_start(struct batch *batch, const struct settings *settings,
                 const struct part *part) PEG_MUST_USE;

/* Run `postfix -c DIR COMMAND` for an instance or the frontend. */
bool batch_command(struct batch *batch, const struct part *part, const char *command) PEG_MUST_USE;

/*
 * Wait for all. Returns false where one has failed, with its output on stderr. What successful ones
 * print is dropped: Postfix's tools say on stderr that they start and stop it.
 */
bool batch_finish(struct batch *batch) PEG_MUST_USE;

#endif
