/*
 * work - all that peg-gen would change in a gateway: found first, then shown or carried out
 *
 * Functions that return bool print an error on stderr before they return false.
 */
#ifndef PEG_GEN_WORK_H
#define PEG_GEN_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "admin/part.h"
#include "ctl/dscp_table.h"
#include "gen/difference.h"
#include "gen/plan.h"
#include "gen/registry.h"
#include "gen/snmpd_conf.h"
#include "gen/units.h"
#include "lib/attr.h"
#include "lib/settings.h"

enum { WORK_FOLDERS_MAX = SETTINGS_POSTFIX_MAX };

/* One folder: what is planned, what is there, what is to change. */
struct work_folder {
    struct plan *plan;
    struct present present;
    struct difference difference;
};

/* A Postfix that is registered and that the settings no longer have. */
struct work_gone {
    int instance;
    char *dir;
    char *queue_dir;
    char *registered_name;
};

struct work {
    const struct settings *settings; /* borrowed */
    char *template_dir;
    struct postconf template_conf; /* all zero where template_missing */
    bool template_missing;         /* to be made from Postfix's .proto files; only below --root */
    char *table_types;             /* those that this Postfix has (postconf -m) */
    char *environment;             /* PLAN_ENVIRONMENT as this Postfix has it by itself */
    struct pairs users;            /* system users to be made */
    struct pairs members;          /* user -> user whose group it is to be in */
    struct units units;
    struct registry registry;
    struct work_folder folders[WORK_FOLDERS_MAX]; /* the instances, then the frontends */
    size_t folder_count;
    struct work_gone *gone;
    size_t gone_count;
    bool keep; /* gone instances still deliver: they and what leads to them are left alone, save
                that a frontend takes no more mail */
    int kept;  /* the highest of them and one, where keep is true; else 0 */
    struct dscp_change dscp; /* none where keep is true: who still delivers keeps its marks */
    struct snmpd_conf snmpd_conf;
};

/*
 * Find out everything; changes nothing. keep: leave out the removal of instances that are gone.
 * *work_r is to be freed with work_deinit() in any case.
 */
bool work_prepare(struct work *work_r, const struct settings *settings, bool keep) PEG_MUST_USE;
void work_deinit(struct work *work);

/* How many changes there are. */
size_t work_count(const struct work *work) PEG_MUST_USE;

/* Write a line for each change. */
void work_print(FILE *out, const struct work *work);

/* Remove what a run that was killed has left beside the folders. */
void work_clean(const struct work *work);

/*
 * Make the changes, without touching running processes, and save for the instances that are gone.
 * Prints each folder's lines to out when it is done.
 */
bool work_carry_out(struct work *work, FILE *out) PEG_MUST_USE;

/* Take the instances that are gone out of Postfix's list. They must have been stopped. */
bool work_remove_gone(struct work *work, FILE *out) PEG_MUST_USE;

/* Whether a Postfix is among those that are gone. */
bool work_is_gone(const struct work *work, int instance) PEG_MUST_USE;

/* Whether a folder is that of a frontend, rather than of an instance. */
bool work_is_frontend(const struct work_folder *folder) PEG_MUST_USE;

/* The folder of a part; NULL for our daemons. */
const struct work_folder *work_folder_of(const struct work *work,
                                         const struct part *part) PEG_MUST_USE;

/* The folder of postfix-frontend, which is always there. */
const struct work_folder *work_frontend(const struct work *work) PEG_MUST_USE;

#endif
