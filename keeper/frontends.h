/*
 * frontends - the Postfixes whose queues may hold mail that something was decided for
 */
#ifndef PEG_FRONTENDS_H
#define PEG_FRONTENDS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "keeper/look.h"
#include "lib/attr.h"
#include "lib/settings.h"

struct frontends {
    struct look_frontend items[SETTINGS_FRONTENDS_MAX];
    char folders[SETTINGS_FRONTENDS_MAX][PATH_MAX];
    size_t count;
};

/*
 * All that have to be asked before a decision is forgotten. That is postfix-frontend always. It is
 * postfix-urgent, too, where anything of it is on disk, for as long as the settings name it or
 * Postfix's own list does: URGENT_LISTEN may have been taken away while mail is in its queue, and
 * peg-gen apply takes it from that list when none is left. What is on neither of the two is not
 * asked: it is stopped, and would never answer.
 *
 * *frontends_r is not to be copied. Returns false, after logging why, where it cannot be told:
 * nothing must be forgotten then.
 */
bool frontends_find(const struct settings *settings, struct frontends *frontends_r) PEG_MUST_USE;

#endif
