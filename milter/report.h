/* report - one log line per message, in Postfix's manner, queue ID first */
#ifndef PEG_REPORT_H
#define PEG_REPORT_H

#include "milter/classify.h"
#include "milter/decide.h"
#include "milter/envelope.h"

/*
 * Log what was decided:
 *   QUEUEID: from=<a@b>, nrcpt=3, priority=4:1,2:2, rule=8,-, way=plain
 * priority lists priority:recipients, the highest first, and rule the line of the rules file that
 * decided each, `-` for none. verdicts are one for each recipient of the envelope, and name the
 * priority that each has in the end. Thread-safe.
 */
void report_message(const char *queue_id, const struct envelope *envelope,
                    const struct classify_verdict *verdicts, const struct decide_result *result);

#endif
