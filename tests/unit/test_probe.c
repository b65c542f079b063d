/* test_probe - which addresses are probes, and of which priority */
#include "lib/probe.h"

#include "tests/unit/unit.h"

static void only_the_domains_of_priorities_that_there_are_name_one(void **state)
{
    static const struct {
        const char *address;
        int priority; /* of 12 */
    } cases[] = {
        {"probe-a1@priority-0.peg-probe.invalid", 0},
        {"anything@priority-11.peg-probe.invalid", 11},
        {"a@b@Priority-4.PEG-Probe.Invalid", 4},
        {"a@priority-04.peg-probe.invalid", 4},
        {"a@priority-12.peg-probe.invalid", -1},
        {"a@priority-111.peg-probe.invalid", -1},
        {"a@priority-99999999999999999999.peg-probe.invalid", -1},
        {"a@priority--1.peg-probe.invalid", -1},
        {"a@priority-.peg-probe.invalid", -1},
        {"a@priority-4x.peg-probe.invalid", -1},
        {"a@priority-4", -1},
        {"a@priority-4.", -1},
        {"a@priority-4.peg-probe.invalid.", -1},
        {"a@priority-4.peg-probe.invalid.example", -1},
        {"a@x.priority-4.peg-probe.invalid", -1},
        {"a@peg-probe.invalid", -1},
        {"priority-4.peg-probe.invalid", -1},
        {"a@", -1},
        {"", -1},
    };

    (void)state;
    for (size_t n = 0; n < LENGTH(cases); n++)
        if (probe_priority(cases[n].address, 12) != cases[n].priority)
            fail_msg("%s: %d", cases[n].address, probe_priority(cases[n].address, 12));
}

static void the_address_of_a_probe_names_its_priority(void **state)
{
    char address[PROBE_ADDRESS_SIZE];

    (void)state;
    probe_address("0123456789abcdef", 63, address);
    assert_string_equal(address, "probe-0123456789abcdef@priority-63.peg-probe.invalid");
    assert_int_equal(probe_priority(address, 64), 63);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_domains_of_priorities_that_there_are_name_one),
        cmocka_unit_test(the_address_of_a_probe_names_its_priority),
    };

    return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
