/* test_gen_plan - what is planned for the frontend and the instances */
#include "gen/plan.h"

#include <string.h>

#include "lib/settings.h"
#include "tests/unit/settings_of.h"
#include "tests/unit/unit.h"

static void the_frontend_routes_by_table_header_and_default(void **state)
{
    struct settings *settings =
        settings_of("/r", "TCPMAP_LISTEN=[::1]:23\nPRIORITY_COUNT=2\nINSTANCE_PORT_BASE=7000");
    struct plan *plan = plan_new(settings, PEG_FRONTEND, 0);

    (void)state;
    assert_string_equal(plan->dir, "/r/etc/postfix-frontend");
    assert_string_equal(plan->registered_name, "postfix-frontend");
    assert_string_equal(pairs_get(&plan->main, "default_transport"), "peg1:[127.0.0.1]:7001");
    assert_null(pairs_get(&plan->main, "mydestination"));
    assert_string_equal(pairs_get(&plan->last, "smtpd_milters"), "unix:peg/milter");
    assert_string_equal(
        pairs_get(&plan->services, "rewrite-route/unix"),
        "rewrite-route unix - - n - - trivial-rewrite -o "
        "transport_maps=regexp:/r/etc/postfix-frontend/peg_bounce_route,tcp:[::1]:23"
        " -o mydestination= -o virtual_alias_domains= -o virtual_mailbox_domains= "
        "-o relocated_maps=");
    assert_string_equal(pairs_get(&plan->options, "qmgr/unix/rewrite_service_name"),
                        "rewrite-route");
    assert_non_null(strstr(pairs_get(&plan->files, "/r/etc/postfix-frontend/peg_filter"),
                           "\n/^X-Peg-Route: 1$/ FILTER peg1-f:[127.0.0.1]:7001\n"
                           "/^X-Peg-Route:/ FILTER peg1-f:[127.0.0.1]:7001\n"));
    assert_non_null(strstr(pairs_get(&plan->files, "/r/etc/postfix-frontend/peg_drop_header"),
                           "\n/^X-Peg-Route:/ IGNORE\n"));
    assert_non_null(
        strstr(pairs_get(&plan->services, "peg1-f/unix"),
               " -o smtp_header_checks=regexp:/r/etc/postfix-frontend/peg_drop_header "));
    assert_non_null(strstr(pairs_get(&plan->services, "peg1/unix"), " -o smtp_header_checks= "));
    assert_null(pairs_get(&plan->services, "peg2/unix"));
    plan_free(&plan);
    settings_free(&settings);
}

static void the_urgent_frontend_is_like_the_other_in_a_folder_of_its_own(void **state)
{
    struct settings *settings =
        settings_of("/r", "URGENT_LISTEN=[::1]:26\nPRIORITY_COUNT=2\nINSTANCE_PORT_BASE=7000\n"
                          "INSTANCE_USERS=yes\nQUEUE_RUN_DELAY_FRONTEND=20s\n"
                          "MAXIMAL_QUEUE_LIFETIME_URGENT=60s");
    struct plan *plan = plan_new(settings, PEG_URGENT, 0);

    (void)state;
    assert_string_equal(plan->dir, "/r/etc/postfix-urgent");
    assert_string_equal(plan->queue_dir, "/r/var/spool/postfix-urgent");
    assert_string_equal(plan->registered_name, "postfix-urgent");
    assert_string_equal(pairs_get(&plan->main, "mail_owner"), "postfix-urgent");
    assert_string_equal(pairs_get(&plan->main, "syslog_name"), "postfix-urgent");
    assert_string_equal(pairs_get(&plan->main, "default_transport"), "peg1:[127.0.0.1]:7001");
    assert_string_equal(pairs_get(&plan->main, "masquerade_domains"), "");
    assert_string_equal(pairs_get(&plan->main, "queue_run_delay"), "20s");
    assert_string_equal(pairs_get(&plan->main, "maximal_queue_lifetime"), "60s");
    assert_string_equal(pairs_get(&plan->main, "in_flow_delay"), "0");
    assert_string_equal(pairs_get(&plan->main, "master_service_disable"), "");
    assert_string_equal(plan_milter_word(plan), "unix:/r/var/spool/postfix-frontend/peg/milter");
    assert_string_equal(pairs_get(&plan->last, "non_smtpd_milters"), plan_milter_word(plan));
    assert_string_equal(pairs_get(&plan->absent, "[::1]:26/inet"),
                        "[::1]:26 inet n - n - - smtpd -o syslog_name=postfix-urgent");
    assert_non_null(strstr(pairs_get(&plan->files, "/r/etc/postfix-urgent/peg_filter"),
                           "\n/^X-Peg-Route: 1$/ FILTER peg1-f:[127.0.0.1]:7001\n"));
    assert_non_null(strstr(pairs_get(&plan->services, "peg1-f/unix"),
                           " -o smtp_header_checks=regexp:/r/etc/postfix-urgent/peg_drop_header "));
    plan_free(&plan);
    plan = plan_new(settings, PEG_FRONTEND, 0);
    assert_null(pairs_get(&plan->main, "in_flow_delay"));
    assert_null(pairs_get(&plan->main, "master_service_disable"));
    plan_free(&plan);
    settings_free(&settings);
}

static void an_instance_listens_on_the_loopback_and_relays(void **state)
{
    struct settings *settings = settings_of("", "RELAY_HOST=[mx.example]:26");
    struct plan *plan = plan_new(settings, 4, 0);
    const char *listener = pairs_get(&plan->services, "127.0.0.1:20004/inet");

    (void)state;
    assert_string_equal(plan->dir, "/etc/postfix4");
    assert_string_equal(plan->queue_dir, "/var/spool/postfix4");
    assert_string_equal(plan->registered_name, "postfix-4");
    assert_string_equal(pairs_get(&plan->main, "relayhost"), "[mx.example]:26");
    assert_string_equal(pairs_get(&plan->main, "syslog_name"), "postfix4");
    assert_non_null(listener);
    assert_non_null(strstr(listener, " -o smtpd_recipient_restrictions=permit_mynetworks,reject "));
    assert_null(pairs_get(&plan->main, "maillog_file")); /* the system's log */
    assert_null(pairs_get(&plan->main, "multi_instance_name"));
    plan_free(&plan);
    settings_free(&settings);
}

static void probes_end_in_the_instance(void **state)
{
    struct settings *settings = settings_of("/r", "");
    struct plan *plan = plan_new(settings, 3, 0);

    (void)state;
    assert_string_equal(pairs_get(&plan->first, "transport_maps"),
                        "regexp:/r/etc/postfix3/peg_probe");
    assert_non_null(strstr(pairs_get(&plan->files, "/r/etc/postfix3/peg_probe"),
                           "\n/[@.]peg-probe\\.invalid$/ peg-probe:unix:/r/run/peg-probe/lmtp\n"));
    assert_non_null(
        strstr(pairs_get(&plan->services, "peg-probe/unix"),
               " -o lmtp_delivery_status_filter=regexp:/r/etc/postfix3/peg_probe_hard "));
    plan_free(&plan);
    settings_free(&settings);
}

/* Of the frontend and of an instance: where main.cf says nothing else. */
static void processes_are_there_for_mail_that_comes_now_and_then(void **state)
{
    struct settings *settings = settings_of("/r", "");

    (void)state;
    for (int instance = PEG_FRONTEND; instance <= 4; instance++) {
        struct plan *plan = plan_new(settings, instance, 0);

        assert_string_equal(pairs_get(&plan->unset, "max_idle"), "1000s");
        assert_null(pairs_get(&plan->main, "max_idle"));
        plan_free(&plan);
    }
    settings_free(&settings);
}

static void the_hop_to_instances_is_not_slowed_down_by_limits_for_the_way_out(void **state)
{
    struct settings *settings = settings_of("/r", "INSTANCE_NEXTHOP[3]=[192.0.2.1]:25");
    struct plan *plan = plan_new(settings, PEG_FRONTEND, 0);

    (void)state;
    assert_string_equal(pairs_get(&plan->main, "default_destination_rate_delay"), "0s");
    assert_string_equal(pairs_get(&plan->main, "default_transport_rate_delay"), "0s");
    assert_string_equal(pairs_get(&plan->main, "default_destination_recipient_limit"), "50");
    assert_string_equal(pairs_get(&plan->main, "default_destination_concurrency_limit"), "10");
    assert_null(pairs_get(&plan->unset, "peg2_destination_concurrency_limit"));
    assert_string_equal(pairs_get(&plan->unset, "peg3_destination_concurrency_limit"), "20");
    assert_string_equal(pairs_get(&plan->unset, "peg3-f_destination_concurrency_limit"), "20");
    plan_free(&plan);
    plan = plan_new(settings, 2, 0);
    assert_null(pairs_get(&plan->main, "default_destination_rate_delay"));
    plan_free(&plan);
    settings_free(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_frontend_routes_by_table_header_and_default),
        cmocka_unit_test(the_urgent_frontend_is_like_the_other_in_a_folder_of_its_own),
        cmocka_unit_test(an_instance_listens_on_the_loopback_and_relays),
        cmocka_unit_test(probes_end_in_the_instance),
        cmocka_unit_test(processes_are_there_for_mail_that_comes_now_and_then),
        cmocka_unit_test(the_hop_to_instances_is_not_slowed_down_by_limits_for_the_way_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
