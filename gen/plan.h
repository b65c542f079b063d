/*
 * plan - what the configuration folder of a frontend or of an instance has to say
 *
 * Pure: settings in, lists out. Only what stands in these lists is peg-gen's; everything else in
 * the folder is the operator's and stays as it is.
 */
#ifndef PEG_GEN_PLAN_H
#define PEG_GEN_PLAN_H

#include <stdbool.h>

#include "admin/pairs.h"
#include "lib/attr.h"
#include "lib/settings.h"

struct plan {
    int instance; /* PEG_FIRST and up */
    char name[SETTINGS_NAME_SIZE];
    char *registered_name; /* for postmulti, "postfix-4" */
    char *dir;             /* ROOT/etc/postfix4 */
    char *queue_dir;
    char *data_dir;
    struct pairs main;     /* parameters of main.cf with the whole value */
    struct pairs unset;    /* the same, but one that main.cf has stays as it is */
    struct pairs first;    /* parameters whose list must contain this word; new ones go first.
                            A parameter may stand here for several words (pairs_add()) */
    struct pairs last;     /* the same, but new ones go last */
    struct pairs services; /* "peg4/unix" -> whole entry of master.cf */
    struct pairs absent;   /* the same, but a service of that name stays as it is */
    struct pairs options;  /* "qmgr/unix/rewrite_service_name" -> value of an -o option */
    struct pairs files;    /* path -> contents */
    struct pairs initial;  /* the same, but a file that is there stays as it is */
    char *alias_table;     /* "hash:DIR/alias_maps", to be indexed; NULL for none */
    char *bounce_dir;      /* ROOT/var/lib/priority-email-gateway-bounce/postfix4 */
    char *bounce_user;     /* whom that belongs to */
    int kept;              /* transports of priorities below this stay */
};

/* The group of all our instances, for postmulti. */
#define PLAN_GROUP "priority"

/* The list, with a default of its own, of what master(8) passes on to the programs it starts. */
#define PLAN_ENVIRONMENT "import_environment"

/* The name of a Postfix in Postfix's own list. To be freed. */
char *plan_registered_name(int instance) PEG_MUST_USE;

/*
 * The plan of one folder, to be freed with plan_free(). kept: while instances that the settings no
 * longer have still deliver, a frontend keeps what it has for priorities below kept; 0 otherwise.
 */
struct plan *plan_new(const struct settings *settings, int instance, int kept) PEG_MUST_USE;
void plan_free(struct plan **plan);

/*
 * Whether a service of master.cf, given as in plan.services, was made by peg-gen for settings that
 * have changed since: a transport of a priority that is gone, or a listener on another port.
 */
bool plan_is_outdated(const struct plan *plan, const char *name, const char *entry) PEG_MUST_USE;

/* What has cleanup(8) change a recipient. NULL at the end. */
extern const char *const plan_recipient_maps[];

/*
 * Add to the plan of a frontend that no cleanup(8) of its folder changes an address. services: what
 * is there, or in the template; whether it is the template.
 */
void plan_cleanups(struct plan *plan, const struct pairs *services, bool is_template);

/* The file, in the folder of a frontend, that says where a marked message goes. */
#define PLAN_FILTER "peg_filter"

/* The word of a frontend's milter lists that leads to peg-milter; borrowed from its plan. */
const char *plan_milter_word(const struct plan *plan) PEG_MUST_USE;

#endif
