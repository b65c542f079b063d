/*
 * decide - claim the routing keys of one message's recipients, and say which way the message goes
 *
 * Each recipient has a priority; its routing key may be claimed for another one, by mail that is
 * still on its way, or may not be known to the letter. Then the message needs another way than the
 * plain one:
 *
 *   plain    every key could be claimed: nothing in the message or its envelope changes
 *   filter   all recipients have one priority, or nothing else is left (TABLE_TOO_EARLY, or no
 *            spelling can be claimed): the whole message goes to the instance of the highest
 *            priority among its recipients
 *   respell  the recipients in conflict are replaced by another spelling of their address
 *
 * Pure but for the claims, which go through a function of the caller. Thread-safe as that is.
 */
#ifndef PEG_DECIDE_H
#define PEG_DECIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "table/routing_key.h"
#include "table/table.h"

/* spelling and spare are made by malloc(), to be freed with decide_free(). */
struct decide_recipient {
    const char *key;                /* routing key */
    enum routing_key_source source; /* how far it is to be relied on */
    const char *given;              /* the address as the client gave it */
    const char *params;             /* ESMTP parameters of RCPT, "" if none */
    int priority;
    /* Results: */
    bool replace; /* take this recipient out of the envelope ... */
    char
        *spelling; /* ... and put this key in its place; NULL: Postfix has it twice, once will do */
    char *spare;   /* a second such spelling, to hold its place meanwhile; NULL: there is none */
};

enum decide_way { DECIDE_PLAIN, DECIDE_FILTER, DECIDE_RESPELL };

struct decide_result {
    enum decide_way way;
    int filter_priority; /* for DECIDE_FILTER */
    bool table_full;     /* a claim found no room */
};

/*
 * Decide for count recipients. claim is called with arg, a routing key and its priority. Where
 * memory runs out the answer is DECIDE_FILTER, never a wrong one.
 */
struct decide_result decide(struct decide_recipient *recipients, size_t count,
                            enum table_claim (*claim)(void *arg, const char *key, int priority),
                            void *arg);

/* What is left where a decision cannot be kept: the whole message goes by the highest priority
 * among its recipients. */
struct decide_result decide_filter(const struct decide_recipient *recipients, size_t count);

/* Free what decide() put into the recipients. */
void decide_free(struct decide_recipient *recipients, size_t count);

/* "plain", "filter", "respell" */
const char *decide_way_name(enum decide_way way);

#endif
