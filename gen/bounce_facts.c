/* bounce_facts - what plan_bounce() has to know of this machine and a folder */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/difference.h"
#include "admin/mem.h"
#include "gen/plan_bounce.h"
#include "admin/process.h"
#include "lib/beside.h"

static bool has_word(const char *list, const char *word)
{
    char *longer = difference_with_word(list, word, false, NULL);
    bool has = longer == NULL;

    free(longer);
    return has;
}

/* The type for indexed tables that this Postfix prefers, or one that it has. */
static char *choose_table_type(const char *known, const char *preferred)
{
    static const char *const types[] = {"cdb", "hash", "lmdb", "btree"};
    const char *chosen = NULL;

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (has_word(known, types[i]) && (chosen == NULL || strcmp(types[i], preferred) == 0))
            chosen = types[i];
    if (chosen == NULL)
        fprintf(stderr, "postconf -m: this Postfix has no tables of type cdb, hash or lmdb\n");
    return chosen != NULL ? mem_dup(chosen) : NULL;
}

bool bounce_facts_find(struct bounce_facts *facts_r, const char *dir, const char *table_types,
                       const struct pairs *main)
{
    enum { CLASSES, DOUBLE_RECIPIENT, PRIVS, TYPE, COUNT };
    const char *const argv[] = {"postconf",
                                "-c",
                                dir != NULL ? dir : "/",
                                dir != NULL ? "-hx" : "-dhx",
                                "notify_classes",
                                "2bounce_notice_recipient",
                                "default_privs",
                                "default_database_type",
                                NULL};
    char program[PATH_MAX];
    char *text = process_output(argv);
    char *rest = text;
    char *lines[COUNT] = {NULL};

    *facts_r = (struct bounce_facts){.main = main};
    for (int i = 0; text != NULL && i < COUNT; i++)
        lines[i] = strsep(&rest, "\n");
    if (lines[TYPE] != NULL) {
        facts_r->default_privs = mem_dup(lines[PRIVS]);
        facts_r->table_type = choose_table_type(table_types, lines[TYPE]);
        if (has_word(lines[CLASSES], "2bounce") || has_word(lines[CLASSES], "bounce"))
            facts_r->double_recipient = mem_dup(lines[DOUBLE_RECIPIENT]);
        facts_r->delay = has_word(lines[CLASSES], "delay");
    }
    free(text);
    if (beside_program("peg-bounce", program))
        facts_r->program = mem_dup(program);
    else
        fprintf(stderr, "peg-bounce: no such program beside this one\n");
    return facts_r->table_type != NULL && facts_r->program != NULL;
}

void bounce_facts_deinit(struct bounce_facts *facts)
{
    free(facts->table_type);
    free(facts->program);
    free(facts->double_recipient);
    free(facts->default_privs);
}
