/* mib - a survey as objects of NETWORK-SERVICES-MIB (RFC 2788) and MTA-MIB (RFC 2789) */
#include "snmp/mib.h"

#include <string.h>

#include "snmp/mib_rows.h"

enum { ENTRY = 1, PREFIX_LEN = 3, COLUMNS_MAX = 12 };

struct table {
    uint32_t prefix[PREFIX_LEN]; /* of its entry */
    bool has_groups;
    size_t column_count;
    uint32_t columns[COLUMNS_MAX]; /* in ascending order */
    bool (*get)(const struct mib_source *source, uint32_t column, int number, enum queue queue,
                struct mib_value *value_r);
};

/* In the order of their identifiers. */
static const struct table tables[] = {
    {.prefix = {MIB_APPL_TABLE, ENTRY},
     .columns = {2, 3, 4, 5, 6, 7, 12, 13, 16},
     .column_count = 9,
     .get = mib_rows_appl},
    {.prefix = {MIB_MTA_TABLE, ENTRY},
     .columns = {1, 2, 3, 4, 5, 6, 7, 8, 9},
     .column_count = 9,
     .get = mib_rows_mta},
    {.prefix = {MIB_MTA_GROUP_TABLE, ENTRY},
     .has_groups = true,
     .columns = {4, 7, 10, 12, 25, 28, 31},
     .column_count = 7,
     .get = mib_rows_group},
};

enum { TABLE_COUNT = sizeof tables / sizeof *tables };

/* Indexes never change, so that what came last stands behind the others. */
enum { FRONTEND_INDEX = 1, URGENT_INDEX = 68, INDEX_MAX = URGENT_INDEX };

_Static_assert(MONITORED_END - PEG_FRONTEND + FRONTEND_INDEX <= URGENT_INDEX,
               "an index is that of one row");

uint32_t mib_appl_index(int number)
{
    return number == PEG_URGENT ? URGENT_INDEX : (uint32_t)(number - PEG_FRONTEND) + FRONTEND_INDEX;
}

static int number_of(uint32_t appl_index)
{
    return appl_index == URGENT_INDEX ? PEG_URGENT
                                      : (int)appl_index - FRONTEND_INDEX + PEG_FRONTEND;
}

uint32_t mib_group_index(enum queue queue)
{
    return (uint32_t)queue + 1;
}

uint32_t mib_integer(int64_t value)
{
    return value < 0 ? 0 : value > INT32_MAX ? INT32_MAX : (uint32_t)value;
}

static bool has_column(const struct table *table, uint32_t column)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i] == column)
            return true;
    return false;
}

static bool get_in(const struct table *table, const struct mib_source *source,
                   const uint32_t *below, size_t len, struct mib_value *value_r)
{
    if (len != (table->has_groups ? 3 : 2) || !has_column(table, below[0]) || below[1] < 1 ||
        below[1] > INDEX_MAX)
        return false;
    if (table->has_groups && (below[2] < 1 || below[2] > QUEUE_COUNT))
        return false;
    return table->get(source, below[0], number_of(below[1]),
                      table->has_groups ? (enum queue)(below[2] - 1) : QUEUE_INCOMING, value_r);
}

bool mib_get(const struct mib_source *source, const uint32_t *ids, size_t len,
             struct mib_value *value_r)
{
    if (len < PREFIX_LEN)
        return false;
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (memcmp(ids, tables[i].prefix, sizeof tables[i].prefix) == 0)
            return get_in(&tables[i], source, ids + PREFIX_LEN, len - PREFIX_LEN, value_r);
    return false;
}

/* Whether a stands behind b in lexicographic order. */
static bool is_behind(const struct mib_oid *a, const uint32_t *b, size_t b_len)
{
    for (size_t i = 0; i < a->len && i < b_len; i++)
        if (a->ids[i] != b[i])
            return a->ids[i] > b[i];
    return a->len > b_len;
}

/* What comes first in a column behind an identifier. */
static bool next_in_column(const struct table *table, const struct mib_source *source,
                           struct mib_oid *oid, const uint32_t *ids, size_t len,
                           struct mib_value *value_r)
{
    uint32_t groups = table->has_groups ? QUEUE_COUNT : 1;

    for (uint32_t index = 1; index <= INDEX_MAX; index++)
        for (uint32_t group = 1; group <= groups; group++) {
            oid->ids[PREFIX_LEN + 1] = index;
            oid->ids[PREFIX_LEN + 2] = group;
            if (is_behind(oid, ids, len) && mib_get(source, oid->ids, oid->len, value_r))
                return true;
        }
    return false;
}

bool mib_next(const struct mib_source *source, const uint32_t *ids, size_t len,
              struct mib_oid *next_r, struct mib_value *value_r)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        struct mib_oid oid = {.len = PREFIX_LEN + (tables[i].has_groups ? 3 : 2)};

        memcpy(oid.ids, tables[i].prefix, sizeof tables[i].prefix);
        for (size_t column = 0; column < tables[i].column_count; column++) {
            oid.ids[PREFIX_LEN] = tables[i].columns[column];
            if (next_in_column(&tables[i], source, &oid, ids, len, value_r)) {
                *next_r = oid;
                return true;
            }
        }
    }
    return false;
}
