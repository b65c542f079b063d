/* plan_probe - where an instance delivers the probes of peg-gen doctor */
#include "gen/plan_parts.h"

#include <stdlib.h>

#include "admin/mem.h"
#include "lib/probe.h"

/*
 * Mail for the domain of probes goes to the doctor that has sent it. While none listens it comes
 * back at once, as a hard error: it must neither pile up nor have the next probe taken for dead.
 */
void plan_probe(const struct settings *settings, struct plan *plan)
{
    static const char *const options[] = {
        "lmtp_lhlo_name=$syslog_name", /* it says by which instance a probe comes */
        "lmtp_header_checks=",
        "lmtp_mime_header_checks=",
        "lmtp_nested_header_checks=",
        "lmtp_body_checks=",
        "lmtp_generic_maps=",
        "lmtp_line_length_limit=0",
        "lmtp_tls_security_level=none",
        "lmtp_sasl_auth_enable=no",
        NULL};
    char *common = plan_join_options(options);
    char *routes = mem_printf("%s/peg_probe", plan->dir);
    char *hard = mem_printf("%s/peg_probe_hard", plan->dir);
    char *table = mem_printf("regexp:%s", routes);

    pairs_setf(&plan->services, "peg-probe/unix",
               "peg-probe unix - - n - - lmtp -o lmtp_delivery_status_filter=regexp:%s %s", hard,
               common);
    pairs_set(&plan->main, "peg-probe_destination_concurrency_failed_cohort_limit", "0");
    pairs_add(&plan->first, "transport_maps", table);
    pairs_setf(&plan->files, routes,
               "# Made by peg-gen: mail to " PROBE_DOMAIN " does not leave this machine.\n"
               "/[@.]peg-probe\\.invalid$/ peg-probe:unix:%s" SETTINGS_PROBE_SOCKET "\n",
               settings->root);
    pairs_set(&plan->files, hard,
              "# Made by peg-gen: a probe that nobody waits for is not kept.\n"
              "/^4(.*)/ 5$1\n");
    free(common);
    free(routes);
    free(hard);
    free(table);
}
