/*
 * call - one call of the bounce command of a Postfix: its facts, its end, its lines in the log
 */
#ifndef PEG_BOUNCE_CALL_H
#define PEG_BOUNCE_CALL_H

#include <stddef.h>
#include <stdint.h>

#include "bounce/notice.h"
#include "lib/settings.h"

/* Which Postfix it is about. */
struct caller {
    const char *root; /* as in struct options */
    const char *name; /* "postfix4" */
    int instance;
    int stop_fd; /* as in struct run_input */
};

/* Its command, "" for none, also where the priority is no more. Borrowed from the settings. */
const char *call_command(const struct caller *caller, const struct settings *settings);

/*
 * Run the command for a notice, and what was read of it; count is of the bounces that it stands
 * for. Whatever becomes of the command goes to the log, and is counted (bounce/counts.h): the state
 * of this Postfix must not be open.
 */
void call_make(const struct caller *caller, const struct settings *settings, const char *text,
               size_t len, const struct notice *notice, uint64_t count);

#endif
