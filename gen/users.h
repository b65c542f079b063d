/*
 * users - the system users that Postfix's parts run as, each its own (INSTANCE_USERS)
 *
 * A mail_owner must share neither its user id nor its group with anybody (postconf(5)).
 */
#ifndef PEG_GEN_USERS_H
#define PEG_GEN_USERS_H

#include <stdbool.h>

#include "admin/pairs.h"
#include "lib/attr.h"
#include "lib/settings.h"

/* Add the names of those users that the settings want and this machine does not have to missing. */
void users_find_missing(const struct settings *settings, struct pairs *missing);

/* Make them: system users without shell and home, each with a group of its name. False after an
 * error on stderr. */
bool users_make(const struct pairs *missing) PEG_MUST_USE;

#endif
