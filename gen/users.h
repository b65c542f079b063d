/*
 * users - the system users that Postfix's parts run as, each its own (INSTANCE_USERS)
 *
 * A mail_owner must share neither its user id nor its group with anybody (postconf(5)). That of the
 * urgent frontend joins the group of the other's besides, to whom peg-milter's socket is open.
 */
#ifndef PEG_GEN_USERS_H
#define PEG_GEN_USERS_H

#include <stdbool.h>

#include "admin/pairs.h"
#include "lib/attr.h"
#include "lib/settings.h"

/* Add the names of those users that the settings want and this machine does not have to missing. */
void users_find_missing(const struct settings *settings, struct pairs *missing);

/* Whether a user is in the primary group of another one. Looks into the lists of this machine. */
bool users_share_group(const char *name, const char *owner) PEG_MUST_USE;

/* Add those who are not in a group that they need, each with the user whose group that is. */
void users_find_strangers(const struct settings *settings, struct pairs *strangers);

/*
 * Make the missing ones, system users without shell and home, each with a group of its name, and
 * put the strangers into the groups. False after an error on stderr.
 */
bool users_make(const struct pairs *missing, const struct pairs *strangers) PEG_MUST_USE;

#endif
