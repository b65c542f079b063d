/*
 * destinations_list - where the mail of all Postfixes of this host is to go, as peg-showqueues
 * tells
 *
 * Postfix itself is asked (postqueue -j), for anybody who may list its queue
 * (authorized_mailq_users). What is in maildrop is left out: no Postfix has taken it yet.
 */
#ifndef PEG_DESTINATIONS_LIST_H
#define PEG_DESTINATIONS_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/attr.h"
#include "lib/settings.h"

enum { DESTINATIONS_LIMIT = 20 }; /* domains of a Postfix, where nobody says how many */

struct destinations_list {
    const struct settings *settings;
    const char *program; /* before what is wrong */
    size_t limit;        /* domains of a Postfix; 0: all */
    bool is_whole;       /* all Postfixes of this host; else: */
    int instance;        /* that one, PEG_FIRST and up */
    bool as_json;
    FILE *out;
    FILE *err;
};

/*
 * Write them to out: as destinations_print() does, below a heading, or as one object of JSON and a
 * newline: {"taken": "2026-11-26T02:30:00.000Z", "age_limits_minutes": [...], "instances": [...]},
 * with those of destinations_print.h. A Postfix that could not be asked, or is not on this host, is
 * reported to err, a line. Returns whether all were shown.
 */
bool destinations_list(const struct destinations_list *list) PEG_MUST_USE;

#endif
