/* agentx_answer - requests to the subagent, answered from the latest survey */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/options.h"
#include "snmp/agentx_parts.h"
#include "snmp/mib.h"

/* Before the default of 127, which a module of snmpd's own for these tables has. */
enum { PRIORITY = 100 };

enum { MS_PER_CS = 10, SAME_START_MS = 500 };

static const oid mib_2[] = {1, 3, 6, 1, 2, 1};

enum { MIB_2_LEN = sizeof mib_2 / sizeof *mib_2 };

/*
 * Column by column, since a module for these tables that an snmpd has built in (Debian's has one
 * for sendmail) is overruled only by the same identifiers (RFC 2741 7.1.4.1); and all columns of
 * the RFCs, since what that module says in others would not be of Postfix. Not as one range: the
 * library would register it anew for each of its columns.
 */
static const struct {
    oid entry[MIB_2_LEN + 3];
    oid first_column, last_column;
} tables[] = {
    {{1, 3, 6, 1, 2, 1, MIB_APPL_TABLE, 1}, 2, 17},
    {{1, 3, 6, 1, 2, 1, MIB_MTA_TABLE, 1}, 1, 12},
    {{1, 3, 6, 1, 2, 1, MIB_MTA_GROUP_TABLE, 1}, 2, 34},
};

enum { TABLE_COUNT = sizeof tables / sizeof *tables };

/* What stands below mib-2. Returns how many identifiers; 0 for names before it. */
static size_t strip(const netsnmp_variable_list *variable, uint32_t ids_r[MAX_OID_LEN])
{
    size_t len = 0;

    if (variable->name_length <= MIB_2_LEN || memcmp(variable->name, mib_2, sizeof mib_2) != 0)
        return 0;
    for (size_t i = MIB_2_LEN; i < variable->name_length && len < MAX_OID_LEN; i++)
        ids_r[len++] = (uint32_t)variable->name[i];
    return len;
}

static void set_value(netsnmp_variable_list *variable, const struct mib_value *value)
{
    static const u_char types[] = {[MIB_INTEGER] = ASN_INTEGER,
                                   [MIB_GAUGE] = ASN_GAUGE,
                                   [MIB_COUNTER] = ASN_COUNTER,
                                   [MIB_TIME_TICKS] = ASN_TIMETICKS,
                                   [MIB_STRING] = ASN_OCTET_STR};
    long number = value->type == MIB_INTEGER ? (long)(int32_t)value->number : (long)value->number;

    if (value->type == MIB_STRING)
        snmp_set_var_typed_value(variable, ASN_OCTET_STR, value->text, strlen(value->text));
    else
        snmp_set_var_typed_integer(variable, types[value->type], number);
}

static void get(netsnmp_agent_request_info *info, netsnmp_request_info *request,
                const struct mib_source *source)
{
    uint32_t ids[MAX_OID_LEN];
    size_t len = strip(request->requestvb, ids);
    struct mib_value value;

    if (source->latest != NULL && mib_get(source, ids, len, &value))
        set_value(request->requestvb, &value);
    else
        netsnmp_set_request_error(info, request, SNMP_NOSUCHINSTANCE);
}

/* Where nothing follows in the registered range the request is left alone, for who comes next. */
static void get_next(netsnmp_request_info *request, const struct mib_source *source)
{
    uint32_t ids[MAX_OID_LEN];
    size_t len = strip(request->requestvb, ids);
    oid name[MIB_2_LEN + MIB_OID_MAX];
    struct mib_value value;
    struct mib_oid next;

    if (source->latest == NULL)
        return;
    if (request->inclusive && len <= MIB_OID_MAX && mib_get(source, ids, len, &value)) {
        set_value(request->requestvb, &value);
        return;
    }
    if (!mib_next(source, ids, len, &next, &value))
        return;
    memcpy(name, mib_2, sizeof mib_2);
    for (size_t i = 0; i < next.len; i++)
        name[MIB_2_LEN + i] = next.ids[i];
    if (request->range_end != NULL &&
        snmp_oid_compare(name, MIB_2_LEN + next.len, request->range_end, request->range_end_len) >=
            0)
        return;
    snmp_set_var_objid(request->requestvb, name, MIB_2_LEN + next.len);
    set_value(request->requestvb, &value);
}

/*
 * When snmpd began, by our clock. It is reckoned from two clocks, and so never quite the same:
 * unless there is another snmpd, or a clock was set, what was found first stays, and so do the
 * times that are told by it.
 */
static int64_t started_ms(struct agentx_answers *answers)
{
    int64_t found_ms = clock_wall_ms() - (int64_t)(uint32_t)netsnmp_get_agent_uptime() * MS_PER_CS;

    if (llabs(found_ms - answers->started_ms) > SAME_START_MS)
        answers->started_ms = found_ms;
    return answers->started_ms;
}

/* All requests of one message are answered from one survey. */
static int answer(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
                  netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
    struct agentx_answers *answers = handler->myvoid;
    struct latest_survey *latest = latest_get(answers->latest);
    const struct mib_source source = {.latest = latest,
                                      .postfix_version = answers->postfix_version,
                                      .version = PEG_VERSION,
                                      .started_ms = started_ms(answers)};

    (void)registration;
    for (netsnmp_request_info *request = requests; request != NULL; request = request->next)
        if (request->processed != 0)
            continue;
        else if (info->mode == MODE_GET)
            get(info, request, &source);
        else if (info->mode == MODE_GETNEXT)
            get_next(request, &source);
    if (latest != NULL)
        latest_put(answers->latest, &latest);
    return SNMP_ERR_NOERROR;
}

static bool register_column(struct agentx_answers *answers, size_t table, oid number)
{
    oid name[MIB_2_LEN + 4];
    netsnmp_handler_registration *column;

    memcpy(name, tables[table].entry, sizeof tables[table].entry);
    name[MIB_2_LEN + 3] = number;
    column = netsnmp_create_handler_registration("peg-monitor", answer, name, MIB_2_LEN + 4,
                                                 HANDLER_CAN_RONLY);
    if (column == NULL)
        return false;
    column->priority = PRIORITY;
    column->handler->myvoid = answers;
    return netsnmp_register_handler(column) == MIB_REGISTERED_OK;
}

bool agentx_register_tables(struct agentx_answers *answers)
{
    for (size_t i = 0; i < TABLE_COUNT; i++)
        for (oid column = tables[i].first_column; column <= tables[i].last_column; column++)
            if (!register_column(answers, i, column))
                return false;
    return true;
}
