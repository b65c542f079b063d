/*
 * queued - what a Postfix instance holds in its queues, as `postqueue -j` lists it
 *
 * The queues are listed one after another: maildrop, active, incoming, deferred, hold. Mail moves
 * meanwhile: what goes to a queue that is listed already (from deferred to active at a retry, from
 * hold to deferred at its release) may be missing, and what goes the other way may come twice.
 *
 * Not for concurrent use in threads: it starts a program and waits for it.
 */
#ifndef PEG_QUEUED_H
#define PEG_QUEUED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"

/*
 * One message, as Postfix names things, in UTF-8. All strings are borrowed for the call.
 *
 * An address is in external form (local part quoted where it has to be), as in routing keys. But
 * Postfix shows `?` for every byte of it that it calls unprintable: a control character, bytes that
 * are no UTF-8, and where smtputf8_enable is off all that is not ASCII. A `?` may also be itself.
 */
struct queued_message {
    const char *queue_id;
    const char *queue_name; /* one of those above */
    int64_t arrival_s;      /* since 1970 */
    const char *const *recipients;
    size_t recipient_count; /* 0: none is known yet, or all were served */
};

enum { QUEUED_WHY_SIZE = 512 };

/*
 * Call each() for every message in the queues of the instance that config_dir configures. Memory
 * grows with the largest message, not with the queue. It waits as long as postqueue does.
 *
 * Returns true only where every message was listed and understood and postqueue ended well, an
 * empty queue included. Otherwise returns false with the reason in why_r; each() may have been
 * called before. A Postfix that is stopped lists its queue to root alone.
 */
bool queued_each(const char *config_dir,
                 void (*each)(void *arg, const struct queued_message *message), void *arg,
                 char why_r[QUEUED_WHY_SIZE]) PEG_MUST_USE;

#endif
