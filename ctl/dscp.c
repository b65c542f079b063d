/* dscp - the marks of DSCP_CLASS as a script for nft(8) */
#include "ctl/dscp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/mem.h"
#include "lib/log.h"
#include "store/sum.h"

#define TABLE "priority-email-gateway"
#define SEAL "comment \"peg-gen "

enum { DSCP_COUNT = 64 };

/* Whose packets get which class. */
struct marks {
    struct {
        char user[SETTINGS_NAME_SIZE];
        int dscp;
    } items[SETTINGS_POSTFIX_MAX];
    size_t count;
};

void dscp_table(const struct settings *settings, char name_r[DSCP_TABLE_SIZE])
{
    char sum[SUM_TEXT_LEN + 1];

    if (settings->root[0] == '\0') {
        snprintf(name_r, DSCP_TABLE_SIZE, TABLE);
        return;
    }
    sum_print(sum_of(settings->root, strlen(settings->root)), sum);
    snprintf(name_r, DSCP_TABLE_SIZE, TABLE "-%s", sum);
}

/* Packets of class 0 are left alone: an operator's own rules may be about them. */
static void add_mark(struct marks *marks, int instance, const struct settings_instance *own)
{
    if (own->dscp == 0)
        return;
    settings_instance_name(instance, marks->items[marks->count].user);
    marks->items[marks->count++].dscp = own->dscp;
}

static void find_marks(const struct settings *settings, struct marks *marks_r)
{
    marks_r->count = 0;
    if (!settings->instance_users)
        return; /* nothing tells their packets apart */
    for (int n = PEG_FIRST; n < settings->priority_count; n++)
        if (settings_has(settings, n))
            add_mark(marks_r, n, settings_own(settings, n));
}

bool dscp_is_wanted(const struct settings *settings)
{
    struct marks marks;

    find_marks(settings, &marks);
    return marks.count > 0;
}

/* One look-up of the user finds the chain of the class, however many instances there are. */
static void print_chains(FILE *out, const struct marks *marks, const char *sum)
{
    bool printed[DSCP_COUNT] = {false};

    fprintf(out,
            "    chain output {\n"
            /* This type, as the routes of these packets may depend on their class (ip-rule(8)). */
            "        type route hook output priority -150; policy accept;\n"
            "        oif \"lo\" accept\n"
            "        meta skuid vmap {");
    for (size_t i = 0; i < marks->count; i++)
        fprintf(out, "%s \"%s\" : goto dscp-%d", i > 0 ? "," : "", marks->items[i].user,
                marks->items[i].dscp);
    fprintf(out, " } " SEAL "%s\"\n    }\n", sum);
    for (size_t i = 0; i < marks->count; i++) {
        int dscp = marks->items[i].dscp;

        if (!printed[dscp])
            fprintf(out,
                    "    chain dscp-%d {\n"
                    "        ip dscp set %d\n"
                    "        ip6 dscp set %d\n"
                    "    }\n",
                    dscp, dscp, dscp);
        printed[dscp] = true;
    }
}

/* The whole script. That of no marks leaves no table. */
static char *print_script(const char *table, const struct marks *marks, const char *sum)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    if (out == NULL)
        log_fatal("out of memory");
    fprintf(out,
            "# Made by peg-gen from DSCP_CLASS in priority-email-gateway.conf. nft -f loads it.\n"
            "table inet %s\n"
            "delete table inet %s\n",
            table, table);
    if (marks->count > 0) {
        fprintf(out, "table inet %s {\n", table);
        print_chains(out, marks, sum);
        fprintf(out, "}\n");
    }
    if (fclose(out) != 0)
        log_fatal("out of memory");
    return text;
}

static char *sealed_script(const char *table, const struct marks *marks)
{
    char sum[SUM_TEXT_LEN + 1];
    char *text = print_script(table, marks, "");

    sum_print(sum_of(text, strlen(text)), sum);
    free(text);
    return print_script(table, marks, sum);
}

char *dscp_script(const struct settings *settings)
{
    char table[DSCP_TABLE_SIZE];
    struct marks marks;

    dscp_table(settings, table);
    find_marks(settings, &marks);
    return sealed_script(table, &marks);
}

char *dscp_probe(void)
{
    static const struct marks marks = {.items = {{.user = "root", .dscp = 46}}, .count = 1};

    return sealed_script(TABLE "-probe", &marks);
}

char *dscp_seal(const char *script)
{
    const char *seal = strstr(script, SEAL);
    const char *end = seal != NULL ? strchr(seal, '\n') : NULL;

    return end != NULL ? mem_dup_len(seal, (size_t)(end - seal)) : NULL;
}
