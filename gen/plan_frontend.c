/*
 * plan_frontend - the Postfix that receives
 *
 * Its rule: between the milter, which claims the address that it saw, and the queue manager's
 * lookup of that address, nothing may change a recipient. So all mapping is left to the instances.
 */
#include "gen/plan_parts.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/mem.h"
#include "admin/postconf.h"
#include "lib/route.h"

/* The qmgr of a frontend asks a resolver of its own, so that smtpd does not depend on the table.
 */
#define RESOLVER "rewrite-route"

#define MILTERS "smtpd_milters"

/* An instance that says nothing for so long is stuck: its mail is deferred, as if it were away. */
#define STUCK_AFTER "30s"

/*
 * Which addresses there are is the operator's, as the template has it, and smtpd refuses unknown
 * ones. To the queue manager no domain is local or virtual: all mail goes to an instance.
 */
#define NO_CLASSES \
    " -o mydestination= -o virtual_alias_domains= -o virtual_mailbox_domains= -o relocated_maps="

const char *const plan_recipient_maps[] = {"virtual_alias_maps", "canonical_maps",
                                           "recipient_canonical_maps", NULL};

/*
 * peg-milter's one socket is in the queue directory of postfix-frontend, which names it from there,
 * so that its services may be chrooted. The urgent frontend has to name it by its whole path.
 */
static void plan_milter(const struct settings *settings, struct plan *plan)
{
    struct pairs *main = &plan->main;
    char *word = plan->instance == PEG_FRONTEND
                     ? mem_dup("unix:" SETTINGS_MILTER_SOCKET)
                     : mem_printf("unix:%s" SETTINGS_FRONTEND_SPOOL "/" SETTINGS_MILTER_SOCKET,
                                  settings->root);

    /* Last: it decides on what other milters have made of the message. */
    pairs_set(&plan->last, MILTERS, word);
    pairs_set(&plan->last, "non_smtpd_milters", word);
    free(word);
    pairs_set(main, "milter_default_action", "accept"); /* without it: the default priority */
    pairs_set(main, "milter_protocol", "6");
    /* It answers in milliseconds; one that hangs must not hold up mail for minutes. */
    pairs_set(main, "milter_connect_timeout", "5s");
    pairs_set(main, "milter_command_timeout", "10s");
    pairs_set(main, "milter_content_timeout", "30s");
}

static void plan_option(struct plan *plan, const char *service, const char *parameter)
{
    char *name = mem_printf("%s/%s", service, parameter);

    pairs_set(&plan->options, name, "");
    free(name);
}

void plan_cleanups(struct plan *plan, const struct pairs *services, bool is_template)
{
    for (size_t i = 0; i < services->count; i++) {
        const char *service = services->items[i].name;
        bool is_copied = !is_template || strcmp(service + strcspn(service, "/"), "/inet") != 0;

        if (!is_copied || !postconf_runs(services->items[i].value, "cleanup"))
            continue;
        for (size_t m = 0; plan_recipient_maps[m] != NULL; m++)
            plan_option(plan, service, plan_recipient_maps[m]);
        plan_option(plan, service, "sender_canonical_maps");
    }
}

/* All mail goes to the default instance, save where the decision table says otherwise. */
static void plan_routes(const struct settings *settings, struct plan *plan)
{
    static const char *const transports[] = {"local_transport", "virtual_transport",
                                             "relay_transport", "default_transport"};
    static const char *const none[] = {"transport_maps", "relayhost",
                                       "sender_dependent_relayhost_maps",
                                       "sender_dependent_default_transport_maps"};
    char route[PEG_ROUTE_SIZE];
    bool ipv6 = strchr(settings->tcpmap_host, ':') != NULL;

    route_plain(settings, settings->default_priority, route);
    for (size_t i = 0; i < sizeof transports / sizeof transports[0]; i++)
        pairs_set(&plan->main, transports[i], route);
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        pairs_set(&plan->main, none[i], "");
    pairs_setf(
        &plan->services, RESOLVER "/unix",
        RESOLVER " unix - - n - - trivial-rewrite -o transport_maps=regexp:%s/" PLAN_BOUNCE_ROUTE
                 ",tcp:%s%s%s:%d" NO_CLASSES,
        plan->dir, ipv6 ? "[" : "", settings->tcpmap_host, ipv6 ? "]" : "", settings->tcpmap_port);
    pairs_set(&plan->options, "qmgr/unix/rewrite_service_name", RESOLVER);
}

/* How often queued mail is tried: each try refreshes its claims, which must not expire between. */
static void plan_times(const struct settings *settings, struct plan *plan)
{
    static const char *const times[] = {"queue_run_delay", "minimal_backoff_time",
                                        "maximal_backoff_time"};
    const struct settings_instance *own = settings_own(settings, plan->instance);

    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        pairs_setf(&plan->main, times[i], "%ds", own->queue_run_delay_s);
    plan_lifetime(plan, own);
}

/*
 * Mail leaves by the hop to the instances alone, which a host's limits for the way out must not
 * slow down. To take ten messages at a time costs less than 20, as Postfix has it, for they compete
 * for the same processors; where the instance is far away they do not.
 */
static void plan_deliveries(const struct settings *settings, struct plan *plan)
{
    pairs_set(&plan->main, "default_destination_concurrency_limit", "10");
    pairs_set(&plan->main, "default_destination_recipient_limit", "50");
    pairs_set(&plan->main, "default_destination_rate_delay", "0s");
    pairs_set(&plan->main, "default_transport_rate_delay", "0s");
    for (int n = 0; n < settings->priority_count; n++)
        for (int marked = 0; !settings_is_local(settings, n) && marked <= 1; marked++) {
            char *name = mem_printf("peg%d%s_destination_concurrency_limit", n, marked ? "-f" : "");

            pairs_set(&plan->unset, name, "20");
            free(name);
        }
}

/*
 * One pair of transports a priority. What the operator's smtp_* settings say is for the way out,
 * which begins at the instance; this hop is inside the gateway and changes nothing.
 */
static void plan_transports(const struct settings *settings, struct plan *plan)
{
    static const char *const options[] = {
        "smtp_send_xforward_command=yes", /* the instance's log shows the real client */
        "smtp_fallback_relay=",           /* would bypass an instance that is away */
        "smtp_generic_maps=",
        "smtp_mime_header_checks=",
        "smtp_nested_header_checks=",
        "smtp_body_checks=",
        "smtp_line_length_limit=0",
        "smtp_discard_ehlo_keywords=", /* DSN must pass */
        "smtp_discard_ehlo_keyword_address_maps=",
        NULL};
    /*
     * The mail of a stuck instance must not fill up the active queue, which all priorities share.
     * smtp_data_done_timeout is left alone: giving up there would have a message come twice.
     */
    static const char *const timeouts[] = {
        "smtp_helo_timeout=" STUCK_AFTER,      "smtp_starttls_timeout=" STUCK_AFTER,
        "smtp_xforward_timeout=" STUCK_AFTER,  "smtp_mail_timeout=" STUCK_AFTER,
        "smtp_rcpt_timeout=" STUCK_AFTER,      "smtp_data_init_timeout=" STUCK_AFTER,
        "smtp_data_xfer_timeout=" STUCK_AFTER, NULL};
    static const char *const local_options[] = {
        "smtp_bind_address=127.0.0.1", /* whatever inet_interfaces or smtp_bind_address say */
        "smtp_sasl_auth_enable=no",
        "smtp_tls_security_level=none",
        "smtp_tls_policy_maps=",
        "smtp_tls_wrappermode=no",
        NULL};
    char *hop = plan_join_options(options);
    char *limits = plan_join_options(timeouts);
    char *remote = mem_printf("%s %s", hop, limits); /* TLS and SASL are the operator's there */
    char *local_only = plan_join_options(local_options);
    char *local = mem_printf("%s %s", remote, local_only);

    for (int n = 0; n < plan->kept; n++) {
        char *name = mem_printf("peg%d/unix", n);
        char *name_marked = mem_printf("peg%d-f/unix", n);
        const char *common = settings_is_local(settings, n) ? local : remote;

        pairs_setf(&plan->services, name, "peg%d unix - - n - - smtp -o smtp_header_checks= %s", n,
                   common);
        pairs_setf(&plan->services, name_marked,
                   "peg%d-f unix - - n - - smtp -o smtp_header_checks=regexp:%s/peg_drop_header %s",
                   n, plan->dir, common);
        free(name);
        free(name_marked);
    }
    free(hop);
    free(limits);
    free(remote);
    free(local_only);
    free(local);
}

/*
 * The way of a whole message: the milter adds our header, and Postfix routes by it. A priority
 * that a cleanup process does not know yet takes the highest there is: mail is never demoted.
 */
static void plan_filter(const struct settings *settings, struct plan *plan)
{
    char *table = mem_printf("regexp:%s/" PLAN_FILTER, plan->dir);
    char *path = mem_printf("%s/" PLAN_FILTER, plan->dir);
    char *drop_path = mem_printf("%s/peg_drop_header", plan->dir);
    char route[PEG_ROUTE_SIZE];
    size_t len;
    char *text;
    FILE *stream = mem_stream(&text, &len);

    fputs("# Made by peg-gen: where a message goes that peg-milter has marked.\n", stream);
    for (int n = 0; n < plan->kept; n++) {
        route_marked(settings, n, route);
        fprintf(stream, "/^" PEG_ROUTE_HEADER ": %d$/ FILTER %s\n", n, route);
    }
    route_marked(settings, settings->priority_count - 1, route);
    fprintf(stream, "/^" PEG_ROUTE_HEADER ":/ FILTER %s\n", route);
    mem_stream_end(stream);
    pairs_set(&plan->first, "milter_header_checks", table);
    pairs_set(&plan->files, path, text);
    pairs_set(&plan->files, drop_path,
              "# Made by peg-gen: the mark is gone when a message leaves the frontend.\n"
              "/^" PEG_ROUTE_HEADER ":/ IGNORE\n");
    free(table);
    free(path);
    free(drop_path);
    free(text);
}

const char *plan_milter_word(const struct plan *plan)
{
    return pairs_get(&plan->last, MILTERS);
}

char *plan_frontend_listener(const struct plan *plan, const char *service)
{
    /* The syslog_name changes nothing; it marks the entry as ours. */
    return mem_printf("%s inet n - n - - smtpd -o syslog_name=%s", service, plan->name);
}

/* What only mail that must not wait needs. */
static void plan_urgent(const struct settings *settings, struct plan *plan)
{
    bool stays = settings_has(settings, PEG_URGENT);

    /* Where it goes, clients go elsewhere while it delivers what it has (gen/retire.h). */
    pairs_set(&plan->main, "master_service_disable", stays ? "" : "inet");
    /* Its clients are not to be slowed down for what its queue manager has not yet taken. */
    pairs_set(&plan->main, "in_flow_delay", "0");
}

void plan_frontend(const struct settings *settings, struct plan *plan)
{
    plan_milter(settings, plan);
    pairs_set(&plan->main, "masquerade_domains", "");
    plan_routes(settings, plan);
    plan_times(settings, plan);
    plan_deliveries(settings, plan);
    plan_transports(settings, plan);
    plan_filter(settings, plan);
    if (plan->instance == PEG_URGENT)
        plan_urgent(settings, plan);
    for (char **service = settings_listen(settings, plan->instance); *service != NULL; service++) {
        char *name = mem_printf("%s/inet", *service);
        char *entry = plan_frontend_listener(plan, *service);

        pairs_set(&plan->absent, name, entry); /* options that an operator added stay */
        free(name);
        free(entry);
    }
}
