/*
 * place - the folder of peg-milter's socket, inside the frontend's queue directory
 *
 * There a chrooted smtpd reaches it, and the frontend alone may: who can speak to peg-milter can
 * claim routing keys. The folder belongs to DAEMON_USER and the group of the frontend's mail_owner,
 * with the set-group-id bit, so that a socket made in it has that group whoever makes it.
 */
#ifndef PEG_PLACE_H
#define PEG_PLACE_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/settings.h"

/*
 * Make the folder, or give it its owner, group and mode, as root. Another user only learns whether
 * it is there. Returns false after logging why.
 */
bool place_make(const struct settings *settings) PEG_MUST_USE;

#endif
