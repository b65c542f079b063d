/*
 * keep - a message's decision goes to disk, and is counted, before Postfix hears of it
 *
 * Threads: keep_decision() any number at once; sessions share what a write to disk costs.
 */
#ifndef PEG_KEEP_H
#define PEG_KEEP_H

#include <stdbool.h>

#include "milter/classify.h"
#include "milter/decide.h"
#include "milter/envelope.h"
#include "store/journal.h"
#include "table/table.h"

/* Where decisions go; before any other call. Both stay the caller's. */
void keep_use(struct table *table, struct journal *journal);

/* See to it that the table is there for who looks decisions up; once a second or so. Any thread. */
void keep_table(void);

/*
 * Make the decision on the message of that name (lib/message_name.h) durable. recipients and
 * verdicts are one for each of the envelope. sync: DECISION_SYNC. Where that fails *result becomes
 * the filter way, which Postfix itself keeps with the message: decided is then not to be relied on.
 */
void keep_decision(const char *name, const struct envelope *envelope,
                   const struct decide_recipient *recipients,
                   const struct classify_verdict *verdicts, bool sync,
                   struct decide_result *result);

#endif
