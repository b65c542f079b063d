/* keep - a message's decision goes to disk, and is counted, before Postfix hears of it */
#include "milter/keep.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/log_limit.h"
#include "store/record.h"

static struct table *decisions; /* set before any session, as journal is */
static struct journal *journal;
static _Atomic uint64_t syncs_counted;

static struct log_limit full_limit;

void keep_use(struct table *table, struct journal *to)
{
    decisions = table;
    journal = to;
}

void keep_table(void)
{
    (void)table_restore(decisions, clock_boot_ms()); /* the log says what fails */
}

static void warn_of_full_table(void)
{
    uint64_t held_back;

    if (log_limit_pass_shared(&full_limit, clock_boot_ms(), &held_back))
        log_warn("the decision table is full: messages go whole, by the highest priority among "
                 "their recipients (%" PRIu64 " more since the last such warning); raise "
                 "TABLE_CAPACITY",
                 held_back);
}

/* The record of one recipient, and of the spare spelling that holds its place for a moment. */
static void add_recipient(struct record *record, const struct decide_recipient *recipient,
                          unsigned rule_line, enum decide_way way)
{
    struct record_recipient line = {.priority = recipient->priority,
                                    .rule_line = rule_line,
                                    .use = way == DECIDE_FILTER ? RECORD_UNCLAIMED : RECORD_CLAIMED,
                                    .key = recipient->key};

    if (way == DECIDE_RESPELL && recipient->replace) {
        if (recipient->spelling == NULL)
            return; /* the same recipient again: Postfix keeps one */
        line.key = recipient->spelling;
        line.given = recipient->key;
    }
    record_add(record, &line);
    if (way == DECIDE_RESPELL && recipient->spare != NULL) {
        line.use = RECORD_SPARE;
        line.key = recipient->spare;
        line.given = NULL;
        record_add(record, &line);
    }
}

/* Whether the decision is as durable as it has to be. */
static bool write_record(const char *name, const struct envelope *envelope,
                         const struct decide_recipient *recipients,
                         const struct classify_verdict *verdicts, bool sync,
                         const struct decide_result *result)
{
    struct record record = {0};
    bool by_filter = result->way == DECIDE_FILTER;
    bool done;

    record_begin(&record, name, clock_wall_ms(), decide_way_name(result->way),
                 by_filter ? result->filter_priority : RECORD_NO_FILTER);
    for (size_t n = 0; n < envelope->count; n++)
        add_recipient(&record, &recipients[n],
                      verdicts[n].rule != NULL ? verdicts[n].rule->line : 0, result->way);
    /* What goes by the filter is durable with the message itself. */
    done = !record.failed && journal_append(journal, record.text, record.len,
                                            sync && !by_filter ? JOURNAL_SYNC : JOURNAL_NO_SYNC);
    free(record.text);
    return done || by_filter;
}

static void count_syncs(void)
{
    uint64_t syncs = journal_stats(journal).syncs;
    uint64_t counted = atomic_load(&syncs_counted);

    while (counted < syncs)
        if (atomic_compare_exchange_weak(&syncs_counted, &counted, syncs)) {
            table_count(decisions, TABLE_COUNT_JOURNAL_SYNCS, syncs - counted);
            break;
        }
}

void keep_decision(const char *name, const struct envelope *envelope,
                   const struct decide_recipient *recipients,
                   const struct classify_verdict *verdicts, bool sync, struct decide_result *result)
{
    static const enum table_counter ways[] = {[DECIDE_PLAIN] = TABLE_COUNT_PLAIN,
                                              [DECIDE_FILTER] = TABLE_COUNT_FILTER,
                                              [DECIDE_RESPELL] = TABLE_COUNT_RESPELL};

    if (result->table_full)
        warn_of_full_table();
    if (!write_record(name, envelope, recipients, verdicts, sync, result)) {
        table_count(decisions, TABLE_COUNT_UNDURABLE, 1); /* the journal has said why */
        *result = decide_filter(recipients, envelope->count);
    }
    table_count(decisions, ways[result->way], 1);
    count_syncs();
    if (journal_has_closed_segments(journal))
        table_want(decisions, TABLE_WANT_COMPACT);
}
