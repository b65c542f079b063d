/* test_gen_bounce - what is planned for the notices of bounces, and what of it is a change */
#include "gen/plan_bounce.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/difference.h"
#include "lib/settings.h"
#include "tests/unit/report.h"
#include "tests/unit/unit.h"

static struct pairs main_cf;

/* The plan of an instance or the frontend, with what main_cf says. */
static struct plan *plan_of(const char *root, const char *text, int instance,
                            struct bounce_facts facts)
{
    struct report report;

    report_init(&report);
    struct settings *settings = settings_parse(root, text, strlen(text), "f", &report.diag);

    assert_string_equal(report.text, "");
    struct plan *plan = plan_new(settings, instance, 0);

    facts.table_type = (char[]){"cdb"};
    facts.program = (char[]){"/usr/sbin/peg-bounce"};
    facts.default_privs = (char[]){"daemon"};
    facts.main = &main_cf;
    plan_bounce(settings, &facts, plan);
    settings_free(&settings);
    return plan;
}

static const char *file_of(const struct plan *plan, const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", plan->dir, name);
    return pairs_get(&plan->files, path);
}

/* Whether it is one of the words that the plan puts before those of a parameter. */
static bool is_first(const struct plan *plan, const char *parameter, const char *word)
{
    bool found = false;

    for (size_t i = 0; i < plan->first.count; i++)
        found = found || (strcmp(plan->first.items[i].name, parameter) == 0 &&
                          strcmp(plan->first.items[i].value, word) == 0);
    return found;
}

static void notices_go_to_an_address_of_their_own(void **state)
{
    struct plan *plan = plan_of("", "INSTANCE_USERS=yes\n", 4, (struct bounce_facts){0});

    (void)state;
    assert_string_equal(pairs_get(&plan->main, "bounce_notice_recipient"), "bouncemanager");
    assert_null(pairs_get(&plan->main, "notify_classes"));
    assert_string_equal(pairs_get(&plan->options, "bounce/unix/bounce_notice_recipient"),
                        "bouncemanager@postfix4.invalid");
    assert_string_equal(pairs_get(&plan->options, "defer/unix/bounce_notice_recipient"),
                        "bouncemanager@postfix4.invalid");
    assert_string_equal(pairs_get(&plan->options, "defer/unix/notify_classes"), "bounce");
    assert_string_equal(pairs_get(&plan->options, "bounce/unix/2bounce_notice_recipient"),
                        "nobody@postfix4.invalid");
    assert_true(is_first(plan, "transport_maps", "regexp:/etc/postfix4/peg_bounce_route"));
    assert_string_equal(file_of(plan, "peg_bounce_route"),
                        "# Made by peg-gen: where notices of bounces go.\n"
                        "/^bouncemanager@postfix4\\.invalid$/ peg-bounce:\n"
                        "/^nobody@postfix4\\.invalid$/ discard:\n");
    assert_string_equal(file_of(plan, "peg_bounce_command"),
                        "# Made by peg-gen: what bouncecommand runs.\n"
                        "/^bouncecommand$/ \"|/usr/sbin/peg-bounce postfix4\"\n");
    assert_non_null(strstr(pairs_get(&plan->services, "peg-bounce/unix"),
                           " -o alias_maps=cdb:/etc/postfix4/alias_maps,regexp:"));
    assert_non_null(
        strstr(pairs_get(&plan->services, "peg-bounce/unix"), " -o default_privs=bouncecommand"));
    assert_string_equal(plan->bounce_user, "bouncecommand");
    plan_free(&plan);
}

static void what_the_operator_asked_for_stays(void **state)
{
    struct plan *plan = plan_of(
        "/r", "", 0,
        (struct bounce_facts){.delay = true, .double_recipient = (char[]){"chief@x.example"}});

    (void)state;
    assert_string_equal(pairs_get(&plan->options, "bounce/unix/2bounce_notice_recipient"),
                        "chief@x.example");
    assert_string_equal(pairs_get(&plan->options, "defer/unix/notify_classes"), "bounce,delay");
    assert_null(strstr(pairs_get(&plan->services, "peg-bounce/unix"), "default_privs"));
    assert_string_equal(plan->bounce_user, "daemon");
    assert_string_equal(plan->bounce_dir, "/r/var/lib/priority-email-gateway-bounce/postfix0");
    assert_non_null(strstr(file_of(plan, "peg_bounce_command"),
                           "\"|/usr/sbin/peg-bounce --root /r postfix0\"\n"));
    plan_free(&plan);
}

static void only_mappings_that_there_are_are_led_past_notices(void **state)
{
    struct plan *plan;

    (void)state;
    pairs_set(&main_cf, "virtual_alias_maps", "hash:/v");
    pairs_set(&main_cf, "canonical_maps", "");
    plan = plan_of("", "", 4, (struct bounce_facts){0});
    assert_string_equal(pairs_get(&plan->first, "virtual_alias_maps"),
                        "regexp:/etc/postfix4/peg_bounce_keep");
    assert_null(pairs_get(&plan->first, "canonical_maps"));
    assert_null(pairs_get(&plan->first, "recipient_canonical_maps"));
    plan_free(&plan);
    plan = plan_of("", "", PEG_FRONTEND, (struct bounce_facts){0});
    assert_null(pairs_get(&plan->first, "virtual_alias_maps")); /* which it may not have */
    assert_null(pairs_get(&plan->first, "transport_maps"));
    assert_non_null(strstr(pairs_get(&plan->services, "rewrite-route/unix"),
                           "=regexp:/etc/postfix-frontend/peg_bounce_route,tcp:"));
    plan_free(&plan);
    pairs_deinit(&main_cf);
}

static void aliases_are_made_once_and_indexed_when_they_change(void **state)
{
    static const char path[] = "/r/etc/postfix4/alias_maps";
    struct plan *plan = plan_of("/r", "", 4, (struct bounce_facts){0});
    struct present present = {.exists = true, .registered = true};
    struct difference difference;

    (void)state;
    difference_compute(&difference, plan, &present);
    assert_non_null(strstr(pairs_get(&difference.files, path), "\nbouncemanager: bouncecommand\n"));
    assert_true(difference.alias_index);
    assert_non_null(pairs_get(&difference.folders, plan->bounce_dir));
    difference_deinit(&difference);
    pairs_set(&present.files, path, "bouncemanager: me\n");
    pairs_set(&present.folders, plan->bounce_dir, "");
    present.alias_index = true;
    difference_compute(&difference, plan, &present);
    assert_null(pairs_get(&difference.files, path));
    assert_false(difference.alias_index);
    assert_null(pairs_get(&difference.folders, plan->bounce_dir));
    difference_deinit(&difference);
    present_deinit(&present);
    plan_free(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notices_go_to_an_address_of_their_own),
        cmocka_unit_test(what_the_operator_asked_for_stays),
        cmocka_unit_test(only_mappings_that_there_are_are_led_past_notices),
        cmocka_unit_test(aliases_are_made_once_and_indexed_when_they_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
