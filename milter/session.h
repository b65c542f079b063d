/*
 * session - peg-milter's callbacks: one SMTP session of the frontend, message after message
 *
 * The only file that talks to libmilter about messages. libmilter runs each session in one thread
 * at a time (sendmail libmilter/README, section on threads); what sessions share is the decision
 * table and the policy in force.
 */
#ifndef PEG_SESSION_H
#define PEG_SESSION_H

#include "table/table.h"

/* Tell libmilter the callbacks. table is borrowed for ever. false: libmilter does not want them. */
bool session_register(struct table *table) PEG_MUST_USE;

#endif
