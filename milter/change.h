/*
 * change - the changes to a message that its decision takes, told to Postfix
 *
 * At the end of a message only; ctx is libmilter's. false: the frontend did not take them all, or
 * memory ran out.
 */
#ifndef PEG_CHANGE_H
#define PEG_CHANGE_H

#include <libmilter/mfapi.h>
#include <stdbool.h>

#include "lib/attr.h"
#include "milter/decide.h"
#include "milter/envelope.h"

/*
 * Have the message go as was decided: decided has an element for each recipient of the envelope.
 * Its route_headers copies of our own header are taken out.
 */
bool change_message(SMFICTX *ctx, unsigned route_headers, const struct envelope *envelope,
                    const struct decide_recipient *decided,
                    const struct decide_result *result) PEG_MUST_USE;

/* Have the message go whole to the instance of a priority. */
bool change_to_filter(SMFICTX *ctx, int priority);

#endif
