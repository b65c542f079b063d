/* doctor_steps - what peg-gen doctor looks at, one step after the other */
#ifndef PEG_DOCTOR_DOCTOR_STEPS_H
#define PEG_DOCTOR_DOCTOR_STEPS_H

#include "admin/part.h"
#include "doctor/verdict.h"
#include "gen/work.h"
#include "lib/settings.h"

struct doctor {
    const struct settings *settings;
    const struct work *work; /* NULL: what is there could not be read */
    struct parts parts;
    struct verdicts verdicts;
};

/* Whether every part runs, by its user, at its nice level, with what its files say now. */
void doctor_parts(struct doctor *doctor);

/* Whether peg-milter, peg-tcpmap, the frontends and instances elsewhere answer. */
void doctor_services(struct doctor *doctor);

/*
 * What a listener of the frontend of that number wants to hear before SMTP: "TLS", as on port 465,
 * or "PROXY", from a balancer in front of it. NULL: nothing.
 */
const char *doctor_listener_prelude(const struct doctor *doctor, int frontend,
                                    const char *service) PEG_MUST_USE;

/* The decision table, room on disk, and the clock. */
void doctor_room(struct doctor *doctor);

/* A message from each frontend through every priority. */
void doctor_probes(struct doctor *doctor);

#endif
