/*
 * trap - an event of an alarm as a notification of DISMAN-EVENT-MIB (RFC 2981)
 *
 * Neither MTA-MIB nor NETWORK-SERVICES-MIB has notifications, and this project has no number of its
 * own among private enterprises. DISMAN-EVENT-MIB has those that fit any object: mteTriggerRising
 * when a value has risen over a threshold, mteTriggerFalling when it has come down again, with the
 * object and its value in them, so that managers know them already:
 *
 *   mteHotTrigger      QUEUE_LIMIT, QUEUE_AGE_LIMIT, or applOperStatus
 *   mteHotTargetName,  "": of this agent, and no context
 *   mteHotContextName
 *   mteHotOID          the object: mtaGroupStoredMessages.INDEX.GROUP,
 *                      mtaGroupOldestMessageStored.INDEX.GROUP, or applOperStatus.INDEX, which
 *                      rises from up(1) to down(2)
 *   mteHotValue        its value; 0 where it fell because the instance or the limit is gone
 *   applName.INDEX     for humans, postfix4
 *   mtaGroupName.INDEX.GROUP   and deferred, where it concerns a queue
 *
 * Pure.
 */
#ifndef PEG_TRAP_H
#define PEG_TRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snmp/mib.h"
#include "survey/alarms.h"

/* Below mib-2: mteTriggerRising and mteTriggerFalling, and mteHotTrigger to mteHotValue. */
#define TRAP_NOTIFICATIONS 88, 2, 0
#define TRAP_OBJECTS 88, 2, 1

struct trap {
    struct mib_oid notification;
    const char *trigger;
    struct mib_oid object;
    uint32_t value;
    struct mib_oid name; /* and its text */
    char name_text[SETTINGS_NAME_SIZE];
    struct mib_oid group; /* of a queue; its len is 0 otherwise */
    const char *group_text;
};

void trap_make(const struct alarm_event *event, struct trap *trap_r);

#endif
