/*
 * macros - what Postfix tells a milter beside the message (its MILTER_README, "Macros")
 *
 * As the callbacks of libmilter: one thread at a time for each context.
 */
#ifndef PEG_MACROS_H
#define PEG_MACROS_H

#include <libmilter/mfapi.h>

#include "lib/attr.h"

/* While a session negotiates: ask for the macros that are read here, and those of the rules. */
void macros_ask(SMFICTX *ctx, const char *rules_macros);

/* Both at the end of a message. Its queue ID, borrowed; "NOQUEUE" where it has none. */
const char *macros_queue_id(SMFICTX *ctx) PEG_MUST_USE;

/*
 * The frontend that has the message in its queue: PEG_URGENT or PEG_FRONTEND. Both speak to the
 * same socket; what tells them apart is $mail_name, which peg-gen sets, at the beginning of `v`.
 */
int macros_frontend(SMFICTX *ctx) PEG_MUST_USE;

#endif
