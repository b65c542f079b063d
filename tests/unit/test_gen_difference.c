/* test_gen_difference - what of a plan is a change, and how that is said */
#include "gen/difference.h"

#include <stdio.h>
#include <stdlib.h>

#include "gen/plan.h"
#include "lib/settings.h"
#include "tests/unit/settings_of.h"
#include "tests/unit/unit.h"

static void set_all(struct pairs *there, const struct pairs *planned)
{
    for (size_t i = 0; i < planned->count; i++)
        pairs_set(there, planned->items[i].name, planned->items[i].value);
}

/* Words of one parameter stand in one list. */
static void set_words(struct pairs *there, const struct pairs *planned)
{
    for (size_t i = 0; i < planned->count; i++) {
        const struct pair *word = &planned->items[i];
        char *list = difference_with_word(pairs_get(there, word->name), word->value, true, NULL);

        pairs_set(there, word->name, list);
        free(list);
    }
}

/* What is there after a plan was carried out on a folder that had only a qmgr. */
static struct present carried_out(const struct plan *plan)
{
    struct present present = {.exists = true, .registered = true};

    pairs_set(&present.conf.services, "qmgr/unix", "qmgr unix n - n 300 1 qmgr");
    set_all(&present.conf.main, &plan->main);
    set_all(&present.conf.main, &plan->unset);
    set_words(&present.conf.main, &plan->first);
    set_words(&present.conf.main, &plan->last);
    set_all(&present.conf.services, &plan->services);
    set_all(&present.conf.services, &plan->absent);
    set_all(&present.conf.options, &plan->options);
    set_all(&present.files, &plan->files);
    pairs_set(&present.folders, plan->queue_dir, "");
    pairs_set(&present.folders, plan->data_dir, "");
    return present;
}

/* The lines that difference_print() writes. */
static void expect_changes(const struct plan *plan, const struct present *present,
                           const char *expected)
{
    struct difference difference;
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    difference_compute(&difference, plan, present);
    difference_print(out, &difference);
    fclose(out);
    assert_string_equal(text, expected);
    assert_int_equal(difference_count(&difference) == 0, expected[0] == '\0');
    difference_deinit(&difference);
    free(text);
}

static void an_urgent_frontend_that_goes_takes_no_more_mail(void **state)
{
    struct settings *settings = settings_of("", "URGENT_LISTEN='26 [::1]:27'\nPRIORITY_COUNT=4");
    struct settings *gone = settings_of("", "PRIORITY_COUNT=3");
    struct plan *plan = plan_new(settings, PEG_URGENT, 0);
    struct plan *plan_gone = plan_new(gone, PEG_URGENT, 4);
    struct present present = carried_out(plan);

    (void)state;
    pairs_set(&present.conf.services, "26/inet",
              "26 inet n - n - - smtpd -o syslog_name=postfix-urgent -o smtpd_tls_wrappermode=yes");
    /* What leads to an instance that still delivers stays. */
    assert_non_null(pairs_get(&plan_gone->services, "peg3/unix"));
    pairs_deinit(&plan_gone->files);
    pairs_deinit(&plan_gone->services);
    pairs_remove(&plan_gone->main, "local_transport");
    pairs_remove(&plan_gone->main, "virtual_transport");
    pairs_remove(&plan_gone->main, "relay_transport");
    pairs_remove(&plan_gone->main, "default_transport");
    expect_changes(plan_gone, &present,
                   "/etc/postfix-urgent/main.cf: master_service_disable = inet (was: empty)\n"
                   "/etc/postfix-urgent/master.cf: no more service [::1]:27/inet\n");
    present_deinit(&present);
    plan_free(&plan);
    plan_free(&plan_gone);
    settings_free(&settings);
    settings_free(&gone);
}

static void several_words_join_one_list(void **state)
{
    struct settings *settings = settings_of("/r", "");
    struct plan *plan = plan_new(settings, 3, 0);
    struct present present = carried_out(plan);

    (void)state;
    pairs_add(&plan->first, "transport_maps", "hash:/two");
    pairs_set(&present.conf.main, "transport_maps", "cdb:/own");
    expect_changes(plan, &present,
                   "/r/etc/postfix3/main.cf: transport_maps = hash:/two, "
                   "regexp:/r/etc/postfix3/peg_probe, cdb:/own (was: cdb:/own)\n");
    present_deinit(&present);
    plan_free(&plan);
    settings_free(&settings);
}

/* So that what Postfix passes on by itself is not lost, and what an operator adds wins. */
static void programs_keep_their_memory(void **state)
{
    struct settings *settings = settings_of("/r", "");
    struct plan *plan = plan_new(settings, PEG_FRONTEND, 0);
    struct present present = carried_out(plan);

    (void)state;
    pairs_set(&present.conf.main, PLAN_ENVIRONMENT,
              "MALLOC_MMAP_THRESHOLD_=1048576 TZ MALLOC_TRIM_THRESHOLD_=0");
    expect_changes(plan, &present,
                   "/r/etc/postfix-frontend/main.cf: import_environment = "
                   "MALLOC_TRIM_THRESHOLD_=1048576, MALLOC_MMAP_THRESHOLD_=1048576 TZ "
                   "MALLOC_TRIM_THRESHOLD_=0 (was: MALLOC_MMAP_THRESHOLD_=1048576 TZ "
                   "MALLOC_TRIM_THRESHOLD_=0)\n");
    present_deinit(&present);
    plan_free(&plan);
    settings_free(&settings);
}

static void what_was_carried_out_needs_no_change(void **state)
{
    struct settings *settings =
        settings_of("/r", "FRONTEND_LISTEN='25 [::1]:26'\nURGENT_LISTEN=27");

    (void)state;
    for (int n = PEG_FIRST; n < 5; n++) {
        struct plan *plan = plan_new(settings, n, 0);
        struct present present = carried_out(plan);

        expect_changes(plan, &present, "");
        present_deinit(&present);
        plan_free(&plan);
    }
    settings_free(&settings);
}

static void each_change_is_a_line_with_what_was_before(void **state)
{
    struct settings *settings = settings_of("/r", "");
    struct plan *plan = plan_new(settings, 0, 0);
    struct present present = carried_out(plan);

    (void)state;
    pairs_set(&present.conf.main, "relayhost", "old.example");
    pairs_set(&present.conf.main, "header_size_limit", "");
    pairs_remove(&present.conf.main, "mail_name");
    pairs_set(&present.conf.options, "cleanup/unix/message_size_limit", "1");
    pairs_remove(&present.folders, plan->data_dir);
    present.registered = false;
    expect_changes(plan, &present,
                   "/r/var/lib/postfix0: new folder\n"
                   "/r/etc/postfix0/main.cf: mail_name = postfix0 (was: not set)\n"
                   "/r/etc/postfix0/main.cf: header_size_limit = 102400 (was: empty)\n"
                   "/r/etc/postfix0/main.cf: relayhost = (was: old.example)\n"
                   "/r/etc/postfix0/master.cf: cleanup/unix/message_size_limit = 0 (was: 1)\n"
                   "/r/etc/postfix0: registered as instance postfix-0\n");
    present_deinit(&present);
    plan_free(&plan);
    settings_free(&settings);
}

static void what_the_operator_has_set_stays(void **state)
{
    struct settings *settings = settings_of("/r", "");
    struct plan *plan = plan_new(settings, 0, 0);
    struct present present = carried_out(plan);

    (void)state;
    pairs_set(&present.conf.main, "max_use", "50");
    expect_changes(plan, &present, "");
    pairs_remove(&present.conf.main, "max_use");
    expect_changes(plan, &present, "/r/etc/postfix0/main.cf: max_use = 1000 (was: not set)\n");
    present_deinit(&present);
    plan_free(&plan);
    settings_free(&settings);
}

static void of_a_changed_service_the_options_are_shown(void **state)
{
    struct settings *settings = settings_of("", "");
    struct plan *plan = plan_new(settings, PEG_FRONTEND, 0);
    struct present present = carried_out(plan);

    (void)state;
    pairs_set(&present.conf.services, "rewrite-route/unix",
              "rewrite-route unix - - y - - trivial-rewrite -o transport_maps=hash:/x -o a=b"
              " -o mydestination= -o virtual_alias_domains= -o virtual_mailbox_domains= "
              "-o relocated_maps=");
    expect_changes(
        plan, &present,
        "/etc/postfix-frontend/master.cf: rewrite-route/unix: rewrite-route unix - - n - "
        "- trivial-rewrite (was: rewrite-route unix - - y - - trivial-rewrite)\n"
        "/etc/postfix-frontend/master.cf: rewrite-route/unix: -o "
        "transport_maps=regexp:/etc/postfix-frontend/peg_bounce_route,tcp:127.0.0.1:10040 (was: "
        "hash:/x)\n"
        "/etc/postfix-frontend/master.cf: rewrite-route/unix: no more -o a=b\n");
    present_deinit(&present);
    plan_free(&plan);
    settings_free(&settings);
}

static void only_services_of_our_own_making_are_removed(void **state)
{
    struct settings *settings = settings_of("", "FRONTEND_LISTEN=26");
    struct plan *plan = plan_new(settings, PEG_FRONTEND, 0);
    struct present present = carried_out(plan);
    struct pairs *services = &present.conf.services;

    (void)state;
    pairs_set(services, "25/inet", "25 inet n - n - - smtpd -o syslog_name=postfix-frontend");
    pairs_set(
        services, "27/inet",
        "27 inet n - n - - smtpd -o syslog_name=postfix-frontend -o smtpd_sasl_auth_enable=yes");
    pairs_set(services, "28/inet", "28 inet n - n - - smtpd");
    pairs_set(services, "26/inet", "26 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes");
    pairs_set(services, "peg5/unix", "peg5 unix - - n - - smtp");
    pairs_set(services, "peg12-f/unix", "peg12-f unix - - n - - smtp");
    pairs_set(services, "peg/unix", "peg unix - - n - - smtp");
    pairs_set(services, "pegasus/unix", "pegasus unix - - n - - smtp");
    expect_changes(plan, &present,
                   "/etc/postfix-frontend/master.cf: no more service 25/inet\n"
                   "/etc/postfix-frontend/master.cf: no more service peg5/unix\n"
                   "/etc/postfix-frontend/master.cf: no more service peg12-f/unix\n");
    present_deinit(&present);
    plan_free(&plan);
    settings_free(&settings);
}

static void an_instance_that_moves_to_another_port_leaves_the_old_one(void **state)
{
    struct settings *settings = settings_of("", "");
    struct settings *moved = settings_of("", "INSTANCE_PORT_BASE=30000");
    struct plan *plan = plan_new(settings, 1, 0);
    struct plan *plan_moved = plan_new(moved, 1, 0);
    struct present present = carried_out(plan);

    (void)state;
    pairs_set(&present.conf.services, "127.0.0.1:99/inet", "127.0.0.1:99 inet n - n - - smtpd");
    expect_changes(
        plan_moved, &present,
        "/etc/postfix1/master.cf: no more service 127.0.0.1:20001/inet\n"
        "/etc/postfix1/master.cf: new service: 127.0.0.1:30001 inet n - n - - smtpd, with "
        "34 options\n");
    present_deinit(&present);
    plan_free(&plan);
    plan_free(&plan_moved);
    settings_free(&settings);
    settings_free(&moved);
}

static void a_new_folder_keeps_no_inet_service_of_the_template(void **state)
{
    struct settings *settings = settings_of("", "FRONTEND_LISTEN=smtp");
    struct plan *plan = plan_new(settings, PEG_FRONTEND, 0);
    struct present present = carried_out(plan);
    struct difference difference;

    (void)state;
    present.exists = false;
    pairs_set(&present.conf.services, "smtp/inet", "smtp inet n - y - - smtpd");
    difference_compute(&difference, plan, &present);
    assert_true(difference.create);
    assert_string_equal(pairs_get(&difference.services, "smtp/inet"),
                        "smtp inet n - n - - smtpd -o syslog_name=postfix-frontend");
    assert_int_equal(difference.removed.count, 0);
    difference_deinit(&difference);
    present_deinit(&present);
    plan_free(&plan);
    settings_free(&settings);
}

static void a_word_joins_a_list_once(void **state)
{
    static const struct {
        const char *list;
        bool front;
        const char *dollar_name;
        const char *result; /* NULL: it is there */
    } cases[] = {
        {NULL, false, NULL, "unix:m"},
        {"", true, NULL, "unix:m"},
        {"inet:a:1", false, NULL, "inet:a:1, unix:m"},
        {"inet:a:1", true, NULL, "unix:m, inet:a:1"},
        {"unix:m", false, NULL, NULL},
        {"inet:a:1 unix:m,inet:b:2", false, NULL, NULL},
        {"{ unix:m, connect_timeout=1s }", false, NULL, NULL},
        {"unix:m2", false, NULL, "unix:m2, unix:m"},
        {"$smtpd_milters", false, "smtpd_milters", NULL},
        {"${smtpd_milters} inet:a:1", false, "smtpd_milters", NULL},
        {"$smtpd_milters", false, NULL, "$smtpd_milters, unix:m"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char *longer =
            difference_with_word(cases[i].list, "unix:m", cases[i].front, cases[i].dollar_name);

        if (cases[i].result == NULL)
            assert_null(longer);
        else
            assert_string_equal(longer, cases[i].result);
        free(longer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_urgent_frontend_that_goes_takes_no_more_mail),
        cmocka_unit_test(several_words_join_one_list),
        cmocka_unit_test(programs_keep_their_memory),
        cmocka_unit_test(what_was_carried_out_needs_no_change),
        cmocka_unit_test(each_change_is_a_line_with_what_was_before),
        cmocka_unit_test(what_the_operator_has_set_stays),
        cmocka_unit_test(of_a_changed_service_the_options_are_shown),
        cmocka_unit_test(only_services_of_our_own_making_are_removed),
        cmocka_unit_test(an_instance_that_moves_to_another_port_leaves_the_old_one),
        cmocka_unit_test(a_new_folder_keeps_no_inet_service_of_the_template),
        cmocka_unit_test(a_word_joins_a_list_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
