/*
 * session - peg-milter's callbacks: one SMTP session of a frontend, message after message
 *
 * The only file that talks to libmilter about messages. libmilter runs each session in one thread
 * at a time (sendmail libmilter/README, section on threads); what sessions share is the decision
 * table and the policy in force.
 */
#ifndef PEG_SESSION_H
#define PEG_SESSION_H

#include <stdbool.h>

#include "lib/attr.h"
#include "store/journal.h"
#include "table/table.h"

/* Tell libmilter the callbacks; before the socket is opened. false: it does not want them. */
bool session_register(void) PEG_MUST_USE;

/* The table that sessions claim in, and the journal of their decisions, borrowed for ever; before
 * the first session. */
void session_use(struct table *table, struct journal *journal);

#endif
