/* agentx_parts - the parts of snmp/agentx.h that speak to Net-SNMP's library; for them alone */
#ifndef PEG_AGENTX_PARTS_H
#define PEG_AGENTX_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/settings.h"
#include "snmp/latest.h"
#include "survey/alarms.h"

/* What requests are answered from; its place must not change while the library runs. */
struct agentx_answers {
    struct latest *latest;
    char postfix_version[64];
    int64_t started_ms; /* of snmpd, as in snmp/mib.h; of the library's thread alone */
};

/* Have the library answer for the tables of snmp/mib.h. */
bool agentx_register_tables(struct agentx_answers *answers) PEG_MUST_USE;

/* Send a trap; the library must be connected. */
void agentx_send(const struct alarm_event *event);

#endif
