/* check_parts - the parts of check_system() and check_work() */
#ifndef PEG_GEN_CHECK_PARTS_H
#define PEG_GEN_CHECK_PARTS_H

#include "gen/work.h"
#include "lib/diag.h"

/* The folder whose files say what is there now: the template's where there is none yet. */
const char *check_dir(const struct work *work, const struct work_folder *folder) PEG_MUST_USE;

/* What keeps mail in a frontend from peg-milter, or changes it behind it. */
void check_frontend(const struct work *work, const struct work_folder *frontend, struct diag *diag);

/* Entries of a frontend's tables that do so. */
void check_actions(const struct work *work, const struct work_folder *frontend, struct diag *diag);

/* What keeps the processes of another frontend than the first from peg-milter's socket. */
void check_socket(const struct work *work, const struct work_folder *frontend, struct diag *diag);

/* What keeps mail of a frontend out of an instance. */
void check_instance(const struct work *work, const struct work_folder *folder, struct diag *diag);

/* What keeps any Postfix of ours from receiving or sending on the loopback interface. */
void check_reach(const struct work *work, const struct work_folder *folder, struct diag *diag);

/* Ports of parts that do not run, and that others have. */
void check_ports(const struct work *work, struct diag *diag);

/* Whether this Postfix has all that the gateway is made of. */
void check_postfix(const struct settings *settings, struct diag *diag);

/* Whether DAEMON_USER can read what the daemons have to; only root can tell. */
void check_access(const struct settings *settings, struct diag *diag);

/* Whether AGENTX_SOCKET can be a socket that snmpd makes. */
void check_snmp(const struct settings *settings, struct diag *diag);

/*
 * Call found for each entry of a text table whose action is REDIRECT, FILTER or BCC, save filters
 * that lead to our transports. type: as in TYPE:PATH; it says how an entry looks (regexp_table(5),
 * access(5)). Pure.
 */
void check_actions_in(const char *type, const char *text,
                      void (*found)(void *arg, unsigned line, const char *action), void *arg);

#endif
