/* plan_parts - the two halves of plan_new(): frontends and instances */
#ifndef PEG_GEN_PLAN_PARTS_H
#define PEG_GEN_PLAN_PARTS_H

#include "gen/plan.h"

/* Fill the lists of a plan whose names and paths are set. */
void plan_frontend(const struct settings *settings, struct plan *plan);
void plan_instance(const struct settings *settings, struct plan *plan);

/* Add the way of probes to the plan of an instance (lib/probe.h). */
void plan_probe(const struct settings *settings, struct plan *plan);

/* "-o a=1 -o b=2" from a list of settings, NULL at its end; to be freed by the caller. */
char *plan_join_options(const char *const options[]) PEG_MUST_USE;

/* MAXIMAL_QUEUE_LIFETIME: how long a message is tried. */
void plan_lifetime(struct plan *plan, const struct settings_instance *own);

/* The file, in a configuration folder, that routes notices of bounces (gen/plan_bounce.h). */
#define PLAN_BOUNCE_ROUTE "peg_bounce_route"

/* The entry of master.cf for an inet service of ours in a frontend. To be freed. */
char *plan_frontend_listener(const struct plan *plan, const char *service) PEG_MUST_USE;

#endif
