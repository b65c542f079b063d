/*
 * difference - what has to be changed in one configuration folder, and how to say so
 *
 * Pure: what is there and what is planned, in; what to change, out.
 */
#ifndef PEG_GEN_DIFFERENCE_H
#define PEG_GEN_DIFFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "admin/pairs.h"
#include "gen/plan.h"
#include "admin/postconf.h"
#include "lib/attr.h"

/* What is there. */
struct present {
    bool exists;          /* the folder, with main.cf and master.cf */
    bool registered;      /* postmulti knows it */
    struct postconf conf; /* of the folder; where it does not exist, of the template */
    struct pairs files;   /* path -> contents, of plan.files and plan.initial that exist */
    struct pairs folders; /* those of the plan, as far as they exist */
    bool alias_index;     /* the index of plan.alias_table is there, and up to date */
    char *text[2];        /* main.cf and master.cf as they are, by enum cf_file; NULL: not there */
    char *owner; /* user to whom the queue belongs; NULL: nobody yet, or it does not matter */
};

/* What to change. Lists name things as those of struct plan do. */
struct difference {
    const struct plan *plan;       /* borrowed */
    const struct present *present; /* borrowed */
    bool create;                   /* copy the template first */
    bool registration;             /* register with postmulti */
    bool owner;                    /* give the queue to the plan's mail_owner */
    bool alias_index;              /* make the index of plan.alias_table anew */
    bool marks[2];                 /* comments in main.cf and master.cf, by enum cf_file */
    struct pairs folders;          /* path -> "" */
    struct pairs files;
    struct pairs main;
    struct pairs services;
    struct pairs options;
    struct pairs removed; /* services, with their entries */
};

void present_deinit(struct present *present);

/*
 * Compare. A folder that does not exist is compared with what copying the template makes of it. The
 * difference borrows both arguments. To be freed with difference_deinit().
 */
void difference_compute(struct difference *difference, const struct plan *plan,
                        const struct present *present);
void difference_deinit(struct difference *difference);

/* How many changes there are. */
size_t difference_count(const struct difference *difference) PEG_MUST_USE;

/*
 * The entry of a service as it is there, borrowed, or NULL. Where the template is to be copied, its
 * inet services count as absent.
 */
const char *difference_present_service(const struct difference *difference,
                                       const char *name) PEG_MUST_USE;

/* Write a line for each change (difference_print.c). */
void difference_print(FILE *out, const struct difference *difference);

/*
 * Whether one of the words of a list parameter is this one, given alone or in {word, option=...}
 * (milters(5)); `$name` counts as the word where dollar_name, which may be NULL, is that name.
 */
bool difference_has_word(const char *list, const char *word, const char *dollar_name) PEG_MUST_USE;

/*
 * The value of a list parameter with one more word, at its front or end; "" and NULL are empty
 * lists. NULL where the word is there already (difference_has_word()). To be freed.
 */
char *difference_with_word(const char *list, const char *word, bool front,
                           const char *dollar_name) PEG_MUST_USE;

#endif
