/*
 * settings - the parameters of /etc/priority-email-gateway.conf, checked and typed
 *
 * One table names every parameter with its type, range, default and suffixes; nothing else in the
 * project knows their spelling. A settings object never changes once it is made, so threads may
 * share it.
 */
#ifndef PEG_SETTINGS_H
#define PEG_SETTINGS_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/diag.h"

enum { SETTINGS_PRIORITY_MAX = 64 }; /* largest PRIORITY_COUNT */

/* What a Postfix has of its own: suffixes _FRONTEND, _URGENT, _DEFAULT and [n]. */
struct settings_instance {
    int nice_level;        /* NICE_LEVEL, -20 (most favoured) to 20 */
    bool sched_batch;      /* SCHED_BATCH */
    int queue_run_delay_s; /* QUEUE_RUN_DELAY: the time between two tries at the least */
    int queue_lifetime_s;  /* MAXIMAL_QUEUE_LIFETIME */
    int dscp;              /* DSCP_CLASS as its six bits, 0 for BE */
    int queue_limit;       /* QUEUE_LIMIT, messages in one of its queues; 0: none */
    int queue_age_limit_s; /* QUEUE_AGE_LIMIT, of the oldest message in one of them; 0: none */
    char *bounce_command;  /* BOUNCE_COMMAND, "" for none */
    char *nexthop; /* INSTANCE_NEXTHOP[n], "[host]:port" of another host's instance; "": here */
};

struct settings {
    char *root;              /* --root without trailing slash; "" for the system itself */
    char *file;              /* the file that was read, for reports */
    int priority_count;      /* PRIORITY_COUNT */
    int default_priority;    /* DEFAULT_PRIORITY */
    char *relay_host;        /* RELAY_HOST, "" for the recipients' MX */
    char **frontend_listen;  /* FRONTEND_LISTEN, Postfix `inet` service names, NULL at the end */
    char **urgent_listen;    /* URGENT_LISTEN, the same; none: there is no urgent frontend */
    int instance_port_base;  /* INSTANCE_PORT_BASE: instance n listens on 127.0.0.1, this + n */
    char *tcpmap_host;       /* TCPMAP_LISTEN: address, without brackets */
    int tcpmap_port;         /*                and port */
    int tcpmap_connections;  /* LIMIT_CONNECTIONS_TCPMAP */
    int decision_lifetime_s; /* DECISION_LIFETIME */
    bool decision_sync;      /* DECISION_SYNC */
    size_t table_capacity;   /* TABLE_CAPACITY, live claims */
    char *daemon_user;       /* DAEMON_USER; `nobody` by default under --root */
    int milter_nice_level;   /* NICE_LEVEL_MILTER */
    int milter_connections;  /* LIMIT_CONNECTIONS_MILTER, messages that it decides at once */
    int bounce_limit;        /* BOUNCE_COMMAND_LIMIT, calls a minute for each Postfix */
    char *monitoring_dir;    /* MONITORING_DIR, below root */
    char *monitoring_group;  /* MONITORING_GROUP; NULL by default under --root: DAEMON_USER's */
    char *agentx_socket;     /* AGENTX_SOCKET, below root; "": no SNMP */
    bool instance_users;     /* INSTANCE_USERS; no by default under --root */
    struct settings_instance frontend, urgent;
    struct settings_instance instance[SETTINGS_PRIORITY_MAX]; /* priority_count of them are used */
    atomic_uint further_holders;                              /* settings_* only */
};

/*
 * Read ROOT/etc/priority-email-gateway.conf. root is "" or a folder. A missing file is an error
 * that says so. Reports every problem as `file:line: ...` to diag. Returns NULL where anything was
 * reported; otherwise an object to be freed with settings_free().
 */
struct settings *settings_load(const char *root, struct diag *diag) PEG_MUST_USE;

/* The same from text in memory, file being its name in reports (for tests and settings_load()). */
struct settings *settings_parse(const char *root, const char *text, size_t text_len,
                                const char *file, struct diag *diag) PEG_MUST_USE;

/*
 * Hold settings that somebody else holds as well: they are there until each has called
 * settings_free(). Thread-safe, and so is that. Returns them.
 */
struct settings *settings_hold(struct settings *settings);

/* Give them up; *settings becomes NULL. */
void settings_free(struct settings **settings);

/* Whether priority n is delivered by an instance of this host, not by INSTANCE_NEXTHOP[n]. */
bool settings_is_local(const struct settings *settings, int n) PEG_MUST_USE;

/*
 * Numbers of Postfix instances. Those that receive come first: the frontend, and the urgent one,
 * for clients whose mail must not wait for a place among that of others. Then the priorities.
 */
enum { PEG_URGENT = -2, PEG_FRONTEND = -1, PEG_FIRST = PEG_URGENT };
enum { SETTINGS_FRONTENDS_MAX = -PEG_FIRST };
enum { SETTINGS_POSTFIX_MAX = SETTINGS_PRIORITY_MAX - PEG_FIRST };

/* Whether the Postfix of this number receives mail from clients, rather than from a frontend. */
bool settings_is_frontend(int instance) PEG_MUST_USE;

/* Whether this host has the Postfix of a number from PEG_FIRST up; false beyond the last. */
bool settings_has(const struct settings *settings, int instance) PEG_MUST_USE;

/* What the Postfix of a number from PEG_FIRST to SETTINGS_PRIORITY_MAX - 1 has of its own. */
const struct settings_instance *settings_own(const struct settings *settings,
                                             int instance) PEG_MUST_USE;

/* Where the frontend of that number listens: Postfix `inet` service names, NULL at the end. */
char **settings_listen(const struct settings *settings, int instance) PEG_MUST_USE;

/* The level that Linux makes of a nice level: it knows no 20, and takes it for 19. */
int settings_nice_level(int level);

/*
 * The paths of the gateway, all below settings->root. Each writes a NUL-terminated path into path_r
 * and returns false where it would not fit.
 */
bool settings_path(const struct settings *settings, const char *below_root,
                   char path_r[PATH_MAX]) PEG_MUST_USE;

#define SETTINGS_CONF_FILE "/etc/priority-email-gateway.conf"
#define SETTINGS_RULES_FILE "/etc/priority-email-gateway.rules"
#define SETTINGS_DSCP_FILE "/etc/priority-email-gateway.nft" /* made by peg-gen */
#define SETTINGS_RUN_DIR "/run/priority-email-gateway"
#define SETTINGS_MONITOR_DIR SETTINGS_RUN_DIR "/monitor" /* open to MONITORING_GROUP */
#define SETTINGS_MONITOR_SOCKET SETTINGS_MONITOR_DIR "/ask"
#define SETTINGS_TABLE_FILE SETTINGS_RUN_DIR "/decisions"
#define SETTINGS_STORE_DIR "/var/lib/priority-email-gateway" /* journal and snapshot */
#define SETTINGS_TABLE_LOCK SETTINGS_STORE_DIR "/table.lock"
#define SETTINGS_BOUNCE_DIR "/var/lib/priority-email-gateway-bounce" /* of peg-bounce */
#define SETTINGS_PROBE_DIR "/run/peg-probe" /* root's alone: peg-gen doctor listens in it */
#define SETTINGS_PROBE_SOCKET SETTINGS_PROBE_DIR "/lmtp"
#define SETTINGS_LOG_FILE "/var/log/mail.log" /* used below --root; otherwise syslog */
#define SETTINGS_FRONTEND_SPOOL "/var/spool/postfix-frontend"
#define SETTINGS_FRONTEND_DATA "/var/lib/postfix-frontend" /* belongs to its mail_owner */
#define SETTINGS_MILTER_SOCKET "peg/milter" /* below the frontend's queue directory */

/*
 * Names of Postfix instances: "postfix-frontend", "postfix-urgent", and "postfix4" for 4. They name
 * the folders in /etc, /var/spool and /var/lib, and stand in the log.
 */
enum { SETTINGS_NAME_SIZE = 32 };
void settings_instance_name(int instance, char name_r[SETTINGS_NAME_SIZE]);

/* The user that bounce commands run as where INSTANCE_USERS is yes. */
#define SETTINGS_BOUNCE_USER "bouncecommand"

/*
 * The address within a Postfix of that name that notices about its bounces go to. Its domain exists
 * nowhere (RFC 6761 6.4), so that no mapping or route of the operator's concerns it.
 */
enum { SETTINGS_BOUNCE_ADDRESS_SIZE = SETTINGS_NAME_SIZE + 32 };
void settings_bounce_address(const char *name, char address_r[SETTINGS_BOUNCE_ADDRESS_SIZE]);

#endif
