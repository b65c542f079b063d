/*
 * pending - what running processes still have to take over, should peg-gen be killed before they
 * did
 *
 * A note is a file beside the pid files, so that both are gone after a reboot. It is made before a
 * change and removed when its part has taken the change over; one that is older than the start of
 * its part counts for nothing. Notes are hints: where one cannot be made, that is said on stderr
 * and the change goes on.
 */
#ifndef PEG_CTL_PENDING_H
#define PEG_CTL_PENDING_H

#include "admin/part.h"
#include "lib/attr.h"
#include "lib/settings.h"

enum pending { PENDING_NOTHING, PENDING_RELOAD, PENDING_START };

/* Note that a part is to be reloaded or, after it was stopped, to be started. */
void pending_note(const struct settings *settings, const struct part *part, enum pending what);

/* What is noted for a part. */
enum pending pending_get(const struct settings *settings, const struct part *part) PEG_MUST_USE;

void pending_clear(const struct settings *settings, const struct part *part);

#endif
