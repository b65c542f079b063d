/* test_gen_cleanups - no cleanup(8) of a frontend changes an address */
#include "gen/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const kept_empty[] = {"virtual_alias_maps", "canonical_maps",
                                         "recipient_canonical_maps", "sender_canonical_maps"};
enum { MAPS = sizeof kept_empty / sizeof kept_empty[0] };

static struct plan planned(const char *service, const char *entry, bool is_template)
{
    struct plan plan = {0};
    struct pairs services = {0};

    pairs_set(&services, "pickup/unix", "pickup unix n - n 60 1 pickup");
    pairs_set(&services, service, entry);
    plan_cleanups(&plan, &services, is_template);
    pairs_deinit(&services);
    return plan;
}

static void expect_emptied(const char *service, const char *entry, bool is_template)
{
    struct plan plan = planned(service, entry, is_template);

    assert_int_equal(plan.options.count, MAPS);
    for (size_t i = 0; i < MAPS; i++) {
        const char *name = plan.options.items[i].name;

        assert_memory_equal(name, service, strlen(service));
        assert_string_equal(name + strlen(service) + 1, kept_empty[i]);
        assert_string_equal(plan.options.items[i].value, "");
    }
    pairs_deinit(&plan.options);
}

static void each_cleanup_maps_nothing(void **state)
{
    (void)state;
    expect_emptied("cleanup/unix", "cleanup unix n - n - 0 cleanup", true);
    expect_emptied("own/unix", "own unix n - n - 0 cleanup -o header_checks=", true);
    expect_emptied("127.0.0.1:25/inet", "127.0.0.1:25 inet n - n - 0 cleanup", false);
}

static void other_services_and_those_that_are_not_copied_are_left_alone(void **state)
{
    struct plan plan = planned("smtp/unix", "smtp unix - - n - - smtp", false);
    struct plan copied = planned("127.0.0.1:25/inet", "127.0.0.1:25 inet n - n - 0 cleanup", true);
    struct plan damaged = planned("cleanup/unix", "cleanup unix n", false);

    (void)state;
    assert_int_equal(plan.options.count, 0);
    assert_int_equal(copied.options.count, 0);
    assert_int_equal(damaged.options.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cleanup_maps_nothing),
        cmocka_unit_test(other_services_and_those_that_are_not_copied_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
