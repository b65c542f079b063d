/*
 * probe_server - receive the probes of one run of peg-gen doctor, where the instances deliver them
 *
 * A thread serves LMTP on ROOT/run/peg-probe/lmtp from open to finish. The folder is root's alone.
 */
#ifndef PEG_DOCTOR_PROBE_SERVER_H
#define PEG_DOCTOR_PROBE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "doctor/lmtp.h"
#include "lib/attr.h"
#include "lib/settings.h"

struct probe_server;

/* What became of the probe of one priority. */
struct probe_arrival {
    unsigned count;              /* how often it has arrived; the rest is of the first time */
    int64_t at_ms;               /* clock_boot_ms() */
    char client[LMTP_NAME_SIZE]; /* the instance that delivered it */
    char *message;
    size_t len;
};

/*
 * Listen for the probes of this id (lib/probe.h). NULL with the reason on stderr: another doctor
 * runs, say.
 */
struct probe_server *probe_server_open(const struct settings *settings,
                                       const char *id) PEG_MUST_USE;

/* The probe of this priority was sent. Before finish. */
void probe_server_expect(struct probe_server *server, int priority);

/* Wait for all that is expected, limit_ms at the most, and stop to serve. */
void probe_server_finish(struct probe_server *server, long limit_ms);

/* What arrived; after finish. Borrowed. */
const struct probe_arrival *probe_server_arrival(const struct probe_server *server,
                                                 int priority) PEG_MUST_USE;

/* Finish where that was not done, and free. *server becomes NULL. */
void probe_server_close(struct probe_server **server);

#endif
