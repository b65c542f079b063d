/* plan_bounce - how a Postfix tells peg-bounce of a message that it returns to its sender */
#include "gen/plan_bounce.h"

#include <stdlib.h>
#include <string.h>

#include "admin/mem.h"
#include "gen/plan_parts.h"

#define SERVICE "peg-bounce"
#define RESOLVER "peg-bounce-rewrite"
#define COMMAND_TABLE "peg_bounce_command"
#define ALIAS_ROUTE "peg_bounce_alias"
#define KEEP_TABLE "peg_bounce_keep"
#define NOBODY "nobody"

static const char alias_text[] =
    "# Who hears of each message that this Postfix returns to its sender as undeliverable.\n"
    "#\n"
    "# bouncecommand runs BOUNCE_COMMAND of /etc/priority-email-gateway.conf. To have a copy of "
    "the\n"
    "# notice sent to somebody, too, name them behind it:\n"
    "#\n"
    "#     bouncemanager: bouncecommand, admin@example.org\n"
    "#\n"
    "# peg-gen has made this file, and never changes it. After a change of yours: peg-gen apply.\n"
    "bouncemanager: bouncecommand\n";

/* An address, or part of one, as a regular expression. To be freed. */
static char *pattern_of(const char *address)
{
    char *pattern = mem_dup("");

    for (; *address != '\0'; address++) {
        char *longer = mem_printf("%s%s%c", pattern, *address == '.' ? "\\" : "", *address);

        free(pattern);
        pattern = longer;
    }
    return pattern;
}

/*
 * What bounce(8) sends to whom: as service `bounce` where mail is refused, and as `defer` where it
 * has become too old.
 */
static void plan_notices(const struct bounce_facts *facts, struct plan *plan, const char *address)
{
    static const char *const services[] = {"bounce", "defer"};
    char *nobody = mem_printf(NOBODY "%s", strchr(address, '@'));

    pairs_set(&plan->main, "bounce_notice_recipient", "bouncemanager");
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        const char *const options[][2] = {
            {"bounce_notice_recipient", address},
            /*
             * Not in main.cf, where class `bounce` would also have smtpd(8) send transcripts of
             * sessions with a recipient that it rejects.
             */
            {"notify_classes", facts->delay ? "bounce,delay" : "bounce"},
            /* The class implies `2bounce`, which nobody has asked for. */
            {"2bounce_notice_recipient",
             facts->double_recipient != NULL ? facts->double_recipient : nobody},
        };

        for (size_t o = 0; o < sizeof options / sizeof *options; o++) {
            char *name = mem_printf("%s/unix/%s", services[i], options[o][0]);

            pairs_set(&plan->options, name, options[o][1]);
            free(name);
        }
    }
    pairs_set(&plan->absent, "discard/unix", "discard unix - - n - - discard");
    free(nobody);
}

/* The tables of the way from bounce(8) to local(8), and on to peg-bounce. */
static void plan_tables(const struct settings *settings, const struct bounce_facts *facts,
                        struct plan *plan, const char *address)
{
    static const char made[] = "# Made by peg-gen: ";
    const char *root = settings->root;
    char *domain = pattern_of(strchr(address, '@'));
    char *files[] = {
        mem_printf("%s/" PLAN_BOUNCE_ROUTE, plan->dir), mem_printf("%s/" KEEP_TABLE, plan->dir),
        mem_printf("%s/" ALIAS_ROUTE, plan->dir), mem_printf("%s/" COMMAND_TABLE, plan->dir),
        mem_printf("%s/alias_maps", plan->dir)};

    pairs_setf(&plan->files, files[0],
               "%swhere notices of bounces go.\n/^bouncemanager%s$/ " SERVICE ":\n/^" NOBODY
               "%s$/ discard:\n",
               made, domain, domain);
    pairs_setf(&plan->files, files[1],
               "%sno mapping concerns notices of bounces and probes.\n/^([^@]+%s)$/ $1\n"
               "/^([^@]+@(.+\\.)?peg-probe\\.invalid)$/ $1\n",
               made, domain);
    pairs_setf(&plan->files, files[2],
               "%sbouncecommand stays within " SERVICE ".\n/^bouncecommand@/ " SERVICE ":\n", made);
    pairs_setf(&plan->files, files[3],
               "%swhat bouncecommand runs.\n/^bouncecommand$/ \"|%s%s%s %s\"\n", made,
               facts->program, root[0] != '\0' ? " --root " : "", root, plan->name);
    pairs_set(&plan->initial, files[4], alias_text);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        free(files[i]);
    free(domain);
}

static void plan_services(const struct settings *settings, struct plan *plan)
{
    /* It knows bouncecommand, and no other address: who else is among the aliases gets the notice
     * by mail, as the operator's settings have it. */
    pairs_setf(&plan->services, RESOLVER "/unix",
               RESOLVER " unix - - n - - trivial-rewrite -o transport_maps=regexp:%s/" ALIAS_ROUTE
                        " -o virtual_alias_domains= -o virtual_mailbox_domains= -o relocated_maps=",
               plan->dir);
    pairs_setf(&plan->services, SERVICE "/unix",
               SERVICE " unix - n n - - local -o rewrite_service_name=" RESOLVER
                       " -o alias_maps=%s,regexp:%s/" COMMAND_TABLE
                       " -o allow_mail_to_commands=alias -o command_execution_directory="
                       " -o local_command_shell= -o command_time_limit=300s%s%s",
               plan->alias_table, plan->dir, settings->instance_users ? " -o default_privs=" : "",
               settings->instance_users ? plan->bounce_user : "");
}

/* Have our table come first in a list that the operator has; what is empty has no need of it. */
static void plan_word(const struct bounce_facts *facts, struct plan *plan, const char *parameter,
                      const char *file)
{
    const char *list = pairs_get(facts->main, parameter);
    char *word = mem_printf("regexp:%s/%s", plan->dir, file);

    if (list != NULL && list[0] != '\0')
        pairs_add(&plan->first, parameter, word);
    free(word);
}

void plan_bounce(const struct settings *settings, const struct bounce_facts *facts,
                 struct plan *plan)
{
    char address[SETTINGS_BOUNCE_ADDRESS_SIZE];

    settings_bounce_address(plan->name, address);
    plan->alias_table = mem_printf("%s:%s/alias_maps", facts->table_type, plan->dir);
    plan->bounce_dir = mem_printf("%s" SETTINGS_BOUNCE_DIR "/%s", settings->root, plan->name);
    plan->bounce_user =
        mem_dup(settings->instance_users ? SETTINGS_BOUNCE_USER : facts->default_privs);
    plan_notices(facts, plan, address);
    plan_tables(settings, facts, plan, address);
    plan_services(settings, plan);
    if (!settings_is_frontend(plan->instance)) {
        char *route = mem_printf("regexp:%s/" PLAN_BOUNCE_ROUTE, plan->dir);

        pairs_add(&plan->first, "transport_maps", route);
        free(route);
        for (size_t i = 0; plan_recipient_maps[i] != NULL; i++)
            plan_word(facts, plan, plan_recipient_maps[i], KEEP_TABLE);
    }
}
