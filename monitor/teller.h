/*
 * teller - what each round of peg-monitor means for operators: alarms in the log and as traps, and
 * objects for SNMP
 *
 * Every call belongs to the main thread.
 */
#ifndef PEG_TELLER_H
#define PEG_TELLER_H

#include "lib/attr.h"
#include "lib/settings.h"
#include "survey/survey.h"

struct teller;

/*
 * Begin, without any alarm; with AGENTX_SOCKET the thread of snmp/agentx.h is started, which see
 * for when that may be; where it cannot be the log says so, and the rest is done. Returns NULL,
 * after logging why, where memory is out.
 */
struct teller *teller_start(const struct settings *settings) PEG_MUST_USE;

/* Take in the survey of a round, and the settings of that time. */
void teller_round(struct teller *teller, const struct settings *settings,
                  const struct survey *survey);

/* NULL is allowed. The process is to end (agentx_stop()). */
void teller_stop(struct teller **teller);

#endif
