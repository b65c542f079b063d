/* agentx_send - events of alarms as SNMPv2 notifications */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>

#include <string.h>

#include "snmp/agentx_parts.h"
#include "snmp/trap.h"

enum { HOT_TRIGGER = 1, HOT_TARGET_NAME, HOT_CONTEXT_NAME, HOT_OID, HOT_VALUE };

struct name {
    oid ids[6 + MIB_OID_MAX];
    size_t len;
};

static struct name name_of(const struct mib_oid *below)
{
    struct name name = {.ids = {1, 3, 6, 1, 2, 1}, .len = 6 + below->len};

    for (size_t i = 0; i < below->len; i++)
        name.ids[6 + i] = below->ids[i];
    return name;
}

/* An accessible-for-notify object of DISMAN-EVENT-MIB, a scalar. */
static struct mib_oid hot(uint32_t object)
{
    return (struct mib_oid){{TRAP_OBJECTS, object, 0}, 5};
}

static void add_text(netsnmp_variable_list **list, struct mib_oid below, const char *text)
{
    struct name name = name_of(&below);

    snmp_varlist_add_variable(list, name.ids, name.len, ASN_OCTET_STR, text, strlen(text));
}

static void add_oid(netsnmp_variable_list **list, const struct name *name,
                    const struct mib_oid *below)
{
    struct name value = name_of(below);

    snmp_varlist_add_variable(list, name->ids, name->len, ASN_OBJECT_ID, value.ids,
                              value.len * sizeof *value.ids);
}

void agentx_send(const struct alarm_event *event)
{
    const struct name trap_oid = {{1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0}, 11}; /* snmpTrapOID.0 */
    const struct mib_oid hot_oid = hot(HOT_OID), hot_value = hot(HOT_VALUE);
    const struct name object_name = name_of(&hot_oid), value_name = name_of(&hot_value);
    netsnmp_variable_list *list = NULL;
    struct trap trap;
    long value;

    trap_make(event, &trap);
    value = (long)trap.value;
    add_oid(&list, &trap_oid, &trap.notification);
    add_text(&list, hot(HOT_TRIGGER), trap.trigger);
    add_text(&list, hot(HOT_TARGET_NAME), "");
    add_text(&list, hot(HOT_CONTEXT_NAME), "");
    add_oid(&list, &object_name, &trap.object);
    snmp_varlist_add_variable(&list, value_name.ids, value_name.len, ASN_INTEGER, &value,
                              sizeof value);
    add_text(&list, trap.name, trap.name_text);
    if (trap.group.len != 0)
        add_text(&list, trap.group, trap.group_text);
    send_v2trap(list);
    snmp_free_varbind(list);
}
