/*
 * part - one running piece of the gateway: a daemon of ours, a frontend, or an instance
 *
 * Whether a part runs is told by the lock on its pid file, which ends with the process whatever
 * becomes of it: ours are locked by lib/daemon.c, Postfix's by master(8). Both use flock(2).
 */
#ifndef PEG_ADMIN_PART_H
#define PEG_ADMIN_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "admin/process.h"
#include "lib/attr.h"
#include "lib/settings.h"

/* In the order of starting. */
enum part_kind { PART_MILTER, PART_TCPMAP, PART_INSTANCE, PART_FRONTEND, PART_MONITOR };

struct part {
    enum part_kind kind;
    int instance;                  /* of PART_INSTANCE and PART_FRONTEND */
    char name[SETTINGS_NAME_SIZE]; /* "peg-milter", "postfix4" */
    char *dir;                     /* configuration folder of a Postfix; NULL for a daemon */
    char *pid_file;
    struct process_share share; /* a daemon has its nice level alone, and sets it itself */
};

enum { PARTS_MAX = SETTINGS_POSTFIX_MAX + 3 };

/* All parts, in the order of starting: milter, tcpmap, instances, frontends, monitor. */
struct parts {
    struct part items[PARTS_MAX];
    size_t count;
};

/* Some of the parts, in the order of starting; borrowed. */
struct selection {
    const struct part *items[PARTS_MAX];
    size_t count;
    bool whole; /* the gateway is meant, not some parts of it */
};

/* Whether the Postfix of that number is among them. */
bool selection_has(const struct selection *selection, int instance) PEG_MUST_USE;

void parts_init(struct parts *parts, const struct settings *settings);
void parts_deinit(struct parts *parts);

/*
 * The part that an operator means by "milter", "tcpmap", "monitor", "frontend", "urgent" or a
 * priority, or by the name itself; NULL where there is none.
 */
const struct part *parts_find(const struct parts *parts, const char *name) PEG_MUST_USE;

/* A Postfix that is not among the parts, such as one to be removed. part_deinit() frees it. */
void part_init_instance(struct part *part, const struct settings *settings, int instance);
void part_deinit(struct part *part);

/*
 * Whether a part runs: 1 with its process id, 0, or -1 with errno where that cannot be seen.
 * pid_r may be NULL.
 */
int part_runs(const struct part *part, pid_t *pid_r) PEG_MUST_USE;

/*
 * For how long a daemon that runs now had not been alive when it was started, by the clock on the
 * wall; INT64_MAX where that cannot be told.
 */
int64_t part_away_ms(const struct part *part) PEG_MUST_USE;

/* As part_runs(), for any pid file that its process holds locked. */
int part_pid_file_held(const char *pid_file, pid_t *pid_r) PEG_MUST_USE;

#endif
