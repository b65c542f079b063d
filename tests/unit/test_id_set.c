/* test_id_set - a set of queue IDs */
#include "keeper/id_set.h"

#include <stdio.h>

#include "tests/unit/unit.h"

static void it_has_what_was_added_in_any_order(void **state)
{
    struct id_set set = {0};
    char id[16];

    (void)state;
    assert_false(id_set_has(&set, "4XyZ0"));
    for (int n = 500; n > 0; n--) {
        snprintf(id, sizeof id, "4XyZ%d", n * 7919 % 503);
        assert_true(id_set_add(&set, id));
    }
    assert_true(id_set_has(&set, "4XyZ1"));
    for (int n = 500; n > 0; n--) {
        snprintf(id, sizeof id, "4XyZ%d", n * 7919 % 503);
        assert_true(id_set_has(&set, id));
    }
    assert_false(id_set_has(&set, "4XyZ"));
    assert_false(id_set_has(&set, "4XyZ0"));
    assert_false(id_set_has(&set, "4xyz1"));
    id_set_free(&set);
    assert_false(id_set_has(&set, "4XyZ1"));
    assert_int_equal(id_set_count(&set), 0);
}

static void it_may_grow_after_it_was_asked(void **state)
{
    struct id_set set = {0};

    (void)state;
    assert_true(id_set_add(&set, "M"));
    assert_true(id_set_add(&set, "M"));
    assert_true(id_set_has(&set, "M"));
    assert_true(id_set_add(&set, "B"));
    assert_true(id_set_add(&set, "A"));
    assert_true(id_set_has(&set, "A"));
    assert_true(id_set_has(&set, "B"));
    assert_true(id_set_has(&set, "M"));
    assert_int_equal(id_set_count(&set), 3);
    id_set_free(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_what_was_added_in_any_order),
        cmocka_unit_test(it_may_grow_after_it_was_asked),
    };

    return cmocka_run_group_tests_name("id_set", tests, NULL, NULL);
}
