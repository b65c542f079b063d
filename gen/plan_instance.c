/*
 * plan_instance - the Postfix that delivers mail of one priority
 *
 * It takes mail from the frontends alone, on the loopback interface, and takes all of it: what may
 * come in was decided there. So its listener has settings of its own, as options in master.cf, and
 * main.cf stays the operator's: mapping, local delivery, the way out.
 */
#include "gen/plan_parts.h"

#include <stdlib.h>

#include "admin/mem.h"

static const char *const listener_options[] = {
    "mynetworks=127.0.0.0/8", "smtpd_authorized_xforward_hosts=127.0.0.0/8",
    "smtpd_client_restrictions=", "smtpd_helo_restrictions=", "smtpd_sender_restrictions=",
    "smtpd_relay_restrictions=permit_mynetworks,reject",
    "smtpd_recipient_restrictions=permit_mynetworks,reject",
    "smtpd_data_restrictions=", "smtpd_end_of_data_restrictions=", "smtpd_etrn_restrictions=reject",
    "smtpd_reject_unlisted_recipient=no", "smtpd_reject_unlisted_sender=no",
    "smtpd_helo_required=no", "strict_rfc821_envelopes=no", "smtpd_peername_lookup=no",
    /* To this listener every client is local, and headers would be rewritten. */
    "local_header_rewrite_clients=",
    /* Header and body checks and milters belong to the frontends; address mapping belongs here. */
    "receive_override_options=no_header_body_checks,no_unknown_recipient_checks,no_milters",
    "cleanup_service_name=cleanup", /* whose limits are lifted, too */
    "smtputf8_enable=yes",          /* or mail to such addresses comes back */
    "smtpd_proxy_filter=", "smtpd_command_filter=", "smtpd_upstream_proxy_protocol=",
    "smtpd_discard_ehlo_keywords=", /* DSN must pass */
    "smtpd_discard_ehlo_keyword_address_maps=", "smtpd_tls_security_level=none",
    "smtpd_tls_wrappermode=no", "smtpd_sasl_auth_enable=no",
    /* No limits for the one client there is. */
    "message_size_limit=0", "queue_minfree=0", "smtpd_recipient_limit=100000",
    "smtpd_client_event_limit_exceptions=127.0.0.0/8", "smtpd_error_sleep_time=0",
    "smtpd_soft_error_limit=1001", "smtpd_hard_error_limit=1000", NULL};

void plan_instance(const struct settings *settings, struct plan *plan)
{
    const struct settings_instance *own = &settings->instance[plan->instance];
    int port = settings->instance_port_base + plan->instance;
    char *name = mem_printf("127.0.0.1:%d/inet", port);
    char *options = plan_join_options(listener_options);

    pairs_setf(&plan->services, name, "127.0.0.1:%d inet n - n - - smtpd %s", port, options);
    /*
     * The frontend's message_size_limit has let the message in, and Received lines make it longer.
     * Set here, not in main.cf, where local(8) and virtual(8) compare it with mailbox limits.
     */
    pairs_set(&plan->options, "cleanup/unix/message_size_limit", "0");
    /* The same for Received lines: the frontend has counted them, and loops lead through it. */
    pairs_set(&plan->options, "cleanup/unix/hopcount_limit", "1000");
    /* What is more than the instance can deliver waits here: the frontend is of all priorities. */
    pairs_set(&plan->options, "cleanup/unix/in_flow_delay", "0");
    pairs_set(&plan->main, "relayhost", settings->relay_host);
    pairs_setf(&plan->main, "queue_run_delay", "%ds", own->queue_run_delay_s);
    pairs_setf(&plan->main, "minimal_backoff_time", "%ds", own->queue_run_delay_s);
    plan_lifetime(plan, own);
    plan_probe(settings, plan);
    free(name);
    free(options);
}
