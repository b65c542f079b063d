/*
 * mib - a survey as objects of NETWORK-SERVICES-MIB (RFC 2788) and MTA-MIB (RFC 2789)
 *
 * Tables, and the order of their objects; pure, so nothing of SNMP itself. Object identifiers
 * here begin below mib-2 (1.3.6.1.2.1): applName.1 is 27.1.1.2.1.
 *
 *   applTable      a row for each Postfix of this host, peg-milter and peg-tcpmap; applIndex is 1
 *                  for the frontend, n + 2 for instance n, 66 for peg-milter, 67 for peg-tcpmap, 68
 *                  for the urgent frontend
 *   mtaTable       a row for each Postfix, by the same index
 *   mtaGroupTable  a row for each of its queues; mtaGroupIndex is 1 for incoming, 2 for active,
 *                  3 for deferred, 4 for hold
 *
 * What is not known is not there (noSuchInstance), rather than 0. Never there are: associations,
 * since Postfix does not tell of its connections (and so the times, errors and reasons of theirs);
 * conversions, which it does not make; loops, which stand in its log alone; what went through one
 * queue, since all messages go through incoming and active; applURL, mtaGroupURL, the protocol of
 * a group, the time of its creation and the ID of its oldest message.
 *
 * A kilo-octet is 1024 octets, and volumes are rounded to the nearest; the RFC says neither.
 * Counters begin when peg-monitor does, which the SMI allows (RFC 2578 7.1.6), and wrap at 2^32;
 * gauges stop at their greatest value.
 *
 * Threads: every call may run concurrently on one source.
 */
#ifndef PEG_MIB_H
#define PEG_MIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "snmp/latest.h"

/* The tables, below mib-2. */
#define MIB_APPL_TABLE 27, 1
#define MIB_MTA_TABLE 28, 1
#define MIB_MTA_GROUP_TABLE 28, 2

/* Columns that others name. */
enum {
    MIB_APPL_NAME = 2,
    MIB_APPL_OPER_STATUS = 6,
    MIB_GROUP_STORED_MESSAGES = 4,
    MIB_GROUP_OLDEST_MESSAGE = 12,
    MIB_GROUP_NAME = 25
};

enum { MIB_UP = 1, MIB_DOWN = 2 }; /* applOperStatus */

enum { MIB_OID_MAX = 6 }; /* 28.2.1.COLUMN.INDEX.GROUP */

struct mib_oid {
    uint32_t ids[MIB_OID_MAX];
    size_t len;
};

enum mib_type { MIB_INTEGER, MIB_GAUGE, MIB_COUNTER, MIB_TIME_TICKS, MIB_STRING };

struct mib_value {
    enum mib_type type;
    uint32_t number; /* of MIB_INTEGER the 32 bits of an int32_t */
    char text[128];  /* of MIB_STRING */
};

/* What the objects are made from; all borrowed. */
struct mib_source {
    const struct latest_survey *latest;
    const char *postfix_version; /* "" where it is not known, which leaves applVersion out */
    const char *version;         /* of our own daemons */
    int64_t started_ms;          /* when sysUpTime was 0, by CLOCK_REALTIME */
};

/* applIndex of a number of survey/monitored.h, and mtaGroupIndex. */
uint32_t mib_appl_index(int number) PEG_MUST_USE;
uint32_t mib_group_index(enum queue queue) PEG_MUST_USE;

/* A number as a value of MIB_INTEGER from 0 to 2147483647; what does not fit is the nearest. */
uint32_t mib_integer(int64_t value) PEG_MUST_USE;

/* The value of one object. Returns false where there is none. */
bool mib_get(const struct mib_source *source, const uint32_t *ids, size_t len,
             struct mib_value *value_r) PEG_MUST_USE;

/* The first object behind an identifier of any length, and its value; false: none. */
bool mib_next(const struct mib_source *source, const uint32_t *ids, size_t len,
              struct mib_oid *next_r, struct mib_value *value_r) PEG_MUST_USE;

#endif
