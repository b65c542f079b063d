/* test_latest - one thread publishes surveys, others read them */
#include "snmp/latest.h"

#include <pthread.h>

#include "tests/unit/unit.h"

enum { SURVEYS = 2000, READERS = 3 };

/* Reads until the last survey is there: each is whole, and none comes after a later one. */
static void *read_all(void *arg)
{
    struct latest *latest = arg;
    int64_t last_ms = 0;

    while (last_ms != SURVEYS) {
        struct latest_survey *got = latest_get(latest);

        if (got == NULL)
            continue;
        if (got->survey.taken_ms < last_ms ||
            (int64_t)got->survey.instances[0].queues[0].messages != got->survey.taken_ms)
            return arg;
        last_ms = got->survey.taken_ms;
        latest_put(latest, &got);
    }
    return NULL;
}

static void readers_see_whole_surveys_in_their_order(void **state)
{
    struct latest *latest = latest_new();
    struct survey survey = {.instances = {{.instance = PEG_FRONTEND}}, .instance_count = 1};
    pthread_t readers[READERS];
    void *wrong;

    (void)state;
    assert_non_null(latest);
    assert_null(latest_get(latest));
    for (int n = 0; n < READERS; n++)
        assert_int_equal(pthread_create(&readers[n], NULL, read_all, latest), 0);
    for (int n = 1; n <= SURVEYS; n++) {
        survey.taken_ms = n;
        survey.instances[0].queues[0].messages = (uint64_t)n;
        assert_true(latest_publish(latest, &survey));
    }
    for (int n = 0; n < READERS; n++) {
        assert_int_equal(pthread_join(readers[n], &wrong), 0);
        assert_null(wrong);
    }
    latest_free(&latest);
    assert_null(latest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_see_whole_surveys_in_their_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
