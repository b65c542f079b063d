/* trap - an event of an alarm as a notification of DISMAN-EVENT-MIB (RFC 2981) */
#include "snmp/trap.h"

enum { RISING = 2, FALLING = 3, CS_PER_S = 100 };

static struct mib_oid appl_object(uint32_t column, int number)
{
    return (struct mib_oid){{MIB_APPL_TABLE, 1, column, mib_appl_index(number)}, 5};
}

static struct mib_oid group_object(uint32_t column, const struct alarm *alarm)
{
    return (struct mib_oid){{MIB_MTA_GROUP_TABLE, 1, column, mib_appl_index(alarm->number),
                             mib_group_index(alarm->queue)},
                            6};
}

static void add_queue(const struct alarm_event *event, struct trap *trap_r)
{
    const struct alarm *alarm = &event->alarm;
    bool is_age = alarm->limit == LIMIT_AGE;
    int64_t most = INT64_MAX / CS_PER_S;

    trap_r->trigger = limits_name(alarm->limit);
    trap_r->object =
        group_object(is_age ? MIB_GROUP_OLDEST_MESSAGE : MIB_GROUP_STORED_MESSAGES, alarm);
    trap_r->value = mib_integer(!is_age               ? event->value
                                : event->value < most ? event->value * CS_PER_S
                                                      : INT64_MAX);
    trap_r->group = group_object(MIB_GROUP_NAME, alarm);
    trap_r->group_text = queues_name(alarm->queue);
}

void trap_make(const struct alarm_event *event, struct trap *trap_r)
{
    int number = event->alarm.number;

    *trap_r = (struct trap){
        .notification = {{TRAP_NOTIFICATIONS, event->begins ? RISING : FALLING}, 4},
        .trigger = "applOperStatus",
        .object = appl_object(MIB_APPL_OPER_STATUS, number),
        .value = event->is_gone  ? 0
                 : event->begins ? MIB_DOWN
                                 : MIB_UP,
        .name = appl_object(MIB_APPL_NAME, number),
    };
    monitored_name(number, trap_r->name_text);
    if (event->alarm.kind == ALARM_OVER)
        add_queue(event, trap_r);
}
