/*
 * owner - whose files the queue of a Postfix has
 *
 * Postfix looks into files of its mail_owner only, and does not give them to another one.
 */
#ifndef PEG_GEN_OWNER_H
#define PEG_GEN_OWNER_H

#include <stdbool.h>

#include "lib/attr.h"

/* The user to whom a data folder, and with it the queue, belongs, to be freed; NULL where there is
 * none yet. A user that is gone is given by number. */
char *owner_of(const char *data_dir) PEG_MUST_USE;

/*
 * Give what belongs to the owner of data_dir in both folders to another user and that one's group.
 * The Postfix must be stopped. data_dir itself comes last, so that a run that is killed is done
 * again. False after an error on stderr.
 */
bool owner_change(const char *queue_dir, const char *data_dir, const char *user) PEG_MUST_USE;

#endif
