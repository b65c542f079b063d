/*
 * registry - the list of instances that Postfix itself keeps (postfix-wrapper(5), postmulti(1))
 *
 * Ours are in it, so that postmulti knows them and everybody may look into their queues, but not
 * enabled: that is Postfix's word for instances that others start and stop. Enabled ones would be
 * started with the default instance, without their nice level and before our daemons.
 *
 * On the system, postmulti writes it. It refuses any but the default configuration folder, so that
 * below --root the same parameters are written with postconf.
 *
 * Functions that return bool print an error on stderr before they return false.
 */
#ifndef PEG_GEN_REGISTRY_H
#define PEG_GEN_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "gen/plan.h"
#include "lib/attr.h"

struct registry {
    char *template_dir; /* the folder whose main.cf has the list */
    bool with_postmulti;
    bool ready;  /* postmulti -e init was done, or the same */
    char **dirs; /* the registered folders */
    size_t dir_count;
};

/* template_main: what main.cf of template_dir sets; with nothing in it, nothing is registered. */
void registry_init(struct registry *registry, const char *template_dir, bool with_postmulti,
                   const struct pairs *template_main);
void registry_deinit(struct registry *registry);

/* Whether a folder is in the list. */
bool registry_has(const struct registry *registry, const char *dir) PEG_MUST_USE;

/* Make the list ready for entries, where it is not. */
bool registry_prepare(struct registry *registry) PEG_MUST_USE;

/* Put the folder of a plan into the list, with its name and group, not enabled. */
bool registry_add(struct registry *registry, const struct plan *plan) PEG_MUST_USE;

/* Take a folder, with its registered name, out of the list. Its Postfix must be stopped. */
bool registry_remove(struct registry *registry, const char *dir, const char *name) PEG_MUST_USE;

#endif
