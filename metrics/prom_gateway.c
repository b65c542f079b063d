/* prom_gateway - the metrics of a gateway as a whole: its daemons, decisions, journal */
#include "metrics/prom_gateway.h"

#include "lib/options.h"

static const struct prom_metric claims = {
    "peg_claims_total", PROM_COUNTER,
    "Claims of a recipient for a priority: made or refreshed, in conflict with mail on its way, or "
    "without room in the table."};
static const struct prom_metric messages = {
    "peg_messages_total", PROM_COUNTER,
    "Messages that peg-milter has decided on, by the way that they took: plain, or filter or "
    "respell where other mail was in the way."};
static const struct prom_metric undurable = {
    "peg_messages_undurable_total", PROM_COUNTER,
    "Messages whose decision could not be written to disk."};
static const struct prom_metric lookups = {"peg_lookups_total", PROM_COUNTER,
                                           "Lookups that peg-tcpmap has answered from the table."};
static const struct prom_metric misses = {
    "peg_lookup_misses_total", PROM_COUNTER,
    "Lookups of recipients without a claim; all others have refreshed one."};
static const struct prom_metric recoveries = {"peg_table_recoveries_total", PROM_COUNTER,
                                              "Tables made anew from what is on disk."};
static const struct prom_metric looks = {
    "peg_queue_looks_total", PROM_COUNTER,
    "Looks into the frontends' queues for claims that mail still needs."};
static const struct prom_metric syncs = {"peg_journal_syncs_total", PROM_COUNTER,
                                         "Times that the journal was made durable."};

/* What the decision table counts. */
static const struct {
    const struct prom_metric *metric;
    const char *labels;
    enum table_counter counter;
} table_metrics[] = {
    {&claims, "result=\"claimed\"", TABLE_COUNT_CLAIMS},
    {&claims, "result=\"conflict\"", TABLE_COUNT_CONFLICTS},
    {&claims, "result=\"full\"", TABLE_COUNT_FULL},
    {&messages, "way=\"plain\"", TABLE_COUNT_PLAIN},
    {&messages, "way=\"filter\"", TABLE_COUNT_FILTER},
    {&messages, "way=\"respell\"", TABLE_COUNT_RESPELL},
    {&undurable, "", TABLE_COUNT_UNDURABLE},
    {&lookups, "", TABLE_COUNT_LOOKUPS},
    {&misses, "", TABLE_COUNT_MISSES},
    {&recoveries, "", TABLE_COUNT_RECOVERIES},
    {&looks, "", TABLE_COUNT_SCANS},
    {&syncs, "", TABLE_COUNT_JOURNAL_SYNCS},
};

/* A value without labels. */
static void gauge(struct prom_out *out, const char *name, const char *help,
                  struct prom_number number)
{
    const struct prom_metric metric = {name, PROM_GAUGE, help};

    prom_out_sample(out, &metric, "", number);
}

static void put_survey(const struct prom_view *view, struct prom_out *out)
{
    static const struct prom_metric build = {"peg_build_info", PROM_GAUGE,
                                             "1, with the version of peg-monitor in its label."};

    prom_out_sample(out, &build, "version=\"" PEG_VERSION "\"", prom_whole(1));
    gauge(out, "peg_survey_timestamp_seconds", "When these figures were taken.",
          prom_seconds(view->survey->taken_ms));
    gauge(out, "peg_survey_duration_seconds", "How long taking them took.",
          prom_seconds(view->duration_ms));
    gauge(out, "peg_default_priority", "DEFAULT_PRIORITY; what is above it is urgent.",
          prom_whole((uint64_t)view->settings->default_priority));
}

static void put_daemons(const struct prom_view *view, struct prom_out *out)
{
    static const struct prom_metric up = {"peg_daemon_up", PROM_GAUGE,
                                          "Whether a daemon of the gateway runs: 1 or 0."};
    static const struct prom_metric start = {"peg_daemon_start_time_seconds", PROM_GAUGE,
                                             "When a daemon that runs was started."};
    const struct {
        const char *labels;
        const struct survey_daemon *daemon;
    } daemons[] = {{"daemon=\"peg-milter\"", &view->survey->milter},
                   {"daemon=\"peg-tcpmap\"", &view->survey->tcpmap}};
    enum { COUNT = sizeof daemons / sizeof *daemons };

    for (size_t i = 0; i < COUNT; i++)
        if (daemons[i].daemon->state != SURVEY_UNKNOWN)
            prom_out_sample(out, &up, daemons[i].labels,
                            prom_whole(daemons[i].daemon->state == SURVEY_UP));
    for (size_t i = 0; i < COUNT; i++)
        if (daemons[i].daemon->state == SURVEY_UP && daemons[i].daemon->up_since_ms > 0)
            prom_out_sample(out, &start, daemons[i].labels,
                            prom_seconds(daemons[i].daemon->up_since_ms));
}

static void put_table(const struct tallies *tallies, struct prom_out *out)
{
    gauge(out, "peg_table_readable", "Whether there is a decision table to be read: 1 or 0.",
          prom_whole(tallies->has_table));
    if (!tallies->has_table)
        return;
    gauge(out, "peg_table_capacity_claims", "Claims that fit into the table (TABLE_CAPACITY).",
          prom_whole(tallies->table.capacity));
    gauge(out, "peg_table_live_claims",
          "Claims in the table, those included that could be freed by now.",
          prom_whole(tallies->table.claims));
    gauge(out, "peg_table_unsure",
          "Whether claims may be missing since something on disk was damaged: 1 or 0.",
          prom_whole(tallies->is_unsure));
    for (size_t i = 0; i < sizeof table_metrics / sizeof *table_metrics; i++)
        prom_out_sample(out, table_metrics[i].metric, table_metrics[i].labels,
                        prom_whole(tallies->counters[table_metrics[i].counter]));
}

static void put_store(const struct tallies *tallies, struct prom_out *out)
{
    const struct store_size *store = &tallies->store;

    gauge(out, "peg_store_readable", "Whether the files of decisions can be seen: 1 or 0.",
          prom_whole(tallies->has_store));
    if (!tallies->has_store)
        return;
    gauge(out, "peg_store_available_bytes", "Room on the file system of decisions.",
          prom_whole(store->available_bytes));
    gauge(out, "peg_journal_bytes", "Size of the journal, all segments.",
          prom_whole(store->journal_bytes));
    gauge(out, "peg_journal_segments", "Files that the journal consists of.",
          prom_whole(store->journal_segments));
    gauge(out, "peg_snapshot_bytes", "Size of decisions.cdb; 0 before there is one.",
          prom_whole(store->snapshot_bytes));
    if (store->snapshot_ms > 0)
        gauge(out, "peg_snapshot_timestamp_seconds", "When decisions.cdb was written.",
              prom_seconds(store->snapshot_ms));
}

void prom_gateway(const struct prom_view *view, struct prom_out *out)
{
    put_survey(view, out);
    put_daemons(view, out);
    put_table(view->tallies, out);
    put_store(view->tallies, out);
}
