/*
 * plan_bounce - how a Postfix tells peg-bounce of a message that it returns to its sender
 *
 * bounce(8) sends a notice to SETTINGS_BOUNCE_ADDRESS; a route of its own leads to a local(8) of
 * its own, `peg-bounce`, whatever the operator's own routes, mappings and local domains are. It
 * looks up `bouncemanager` in the operator's file alias_maps, and `bouncecommand` in a table of
 * ours.
 */
#ifndef PEG_GEN_PLAN_BOUNCE_H
#define PEG_GEN_PLAN_BOUNCE_H

#include <stdbool.h>

#include "gen/plan.h"
#include "lib/attr.h"

/* What has to be known of this machine and the folder, or of the template that it is made from. */
struct bounce_facts {
    char *table_type;         /* of alias_maps: "hash" */
    char *program;            /* path of peg-bounce */
    char *double_recipient;   /* who is told of bounces that cannot be delivered; NULL for nobody */
    bool delay;               /* and of mail that is late, which the same services do */
    char *default_privs;      /* user that commands run as where it has no other */
    const struct pairs *main; /* what main.cf sets; borrowed */
};

/*
 * Find them out. dir NULL: there is no folder yet, and nothing but Postfix's own defaults.
 * table_types is what postconf_table_types() says. To be freed with bounce_facts_deinit(). False
 * after an error on stderr.
 */
bool bounce_facts_find(struct bounce_facts *facts_r, const char *dir, const char *table_types,
                       const struct pairs *main) PEG_MUST_USE;
void bounce_facts_deinit(struct bounce_facts *facts);

/* Add it to the plan of a folder. Pure. */
void plan_bounce(const struct settings *settings, const struct bounce_facts *facts,
                 struct plan *plan);

#endif
