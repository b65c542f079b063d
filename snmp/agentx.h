/*
 * agentx - an AgentX subagent (RFC 2741) in a thread of its own: snmp/mib.h for the snmpd of
 * this host, and traps for it to send on
 *
 * Net-SNMP's agent library belongs to that thread alone. It reads no configuration and no MIB
 * files, and keeps no state on disk. What it answers from is snmp/latest.h: it never waits for a
 * survey. When snmpd is not there, or goes, it is tried again every few seconds, and the log is
 * told of each change.
 *
 * An snmpd that has MTA-MIB for sendmail built in is overruled in these tables by priority.
 */
#ifndef PEG_AGENTX_H
#define PEG_AGENTX_H

#include <stdbool.h>

#include "lib/attr.h"
#include "snmp/latest.h"
#include "survey/alarms.h"

struct agentx;

/*
 * Start the thread; to be called with signals blocked, when privileges have been dropped, and
 * before other threads run, since it changes the environment. socket is the path of snmpd's AgentX
 * socket, postfix_version that of Postfix or ""; both are copied. There may be one in a process.
 * NULL, after logging why, where it cannot be started.
 */
struct agentx *agentx_start(const char *socket, const char *postfix_version,
                            struct latest *latest) PEG_MUST_USE;

/* Have a trap sent for an event, at once or when snmpd is back (snmp/notices.h). */
void agentx_tell(struct agentx *agentx, const struct alarm_event *event);

/*
 * Take leave of snmpd, end the thread, free all. NULL is allowed. Returns false where an snmpd that
 * hangs has held that up for half a second: the thread goes on then, with what it was given, and
 * the process is to end.
 */
bool agentx_stop(struct agentx **agentx) PEG_MUST_USE;

#endif
