/*
 * envelope - the recipients of one message, as the client gave them and as Postfix resolved them
 *
 * One object serves many messages, in one thread at a time. Pure.
 */
#ifndef PEG_ENVELOPE_H
#define PEG_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "table/routing_key.h"

struct envelope_recipient {
    char *given;    /* argument of RCPT TO, without angle brackets */
    char *internal; /* the same as smtpd keeps it: internal form, without source route */
    char *macro;    /* Postfix's {rcpt_addr} */
    char *resolved; /* what Postfix makes of it, internal form */
    char *key;      /* the same as routing key */
    enum routing_key_source source; /* how far resolved and key are to be relied on */
    char *params; /* ESMTP parameters (RFC 3461: NOTIFY, ORCPT), blank separated; "" if none */
};

struct envelope {
    struct envelope_recipient *recipients;
    size_t count;
    size_t room;
    char *sender; /* argument of MAIL FROM, for the log; NULL before it */
};

/* Forget the message; the object can be used again. A zeroed object is a fresh one. */
void envelope_reset(struct envelope *envelope);
void envelope_deinit(struct envelope *envelope);

bool envelope_set_sender(struct envelope *envelope, const char *given) PEG_MUST_USE;

/*
 * Add a recipient: its argument and parameters as libmilter gives them (params ends with NULL), and
 * {rcpt_addr}, NULL where Postfix gave none. false: memory ran out, and nothing was added.
 */
bool envelope_add(struct envelope *envelope, const char *given, char *const *params,
                  const char *macro) PEG_MUST_USE;

/*
 * The address by which Postfix knows a recipient to be taken out of the envelope (cleanup compares
 * it with what smtpd kept, letter for letter); part of recipient->given.
 */
const char *envelope_without_route(const char *given);

#endif
