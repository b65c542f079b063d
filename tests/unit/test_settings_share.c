/* test_settings_share - settings that are swapped while other threads use them */
#include "monitor/settings_share.h"

#include <stdatomic.h>

#include "tests/unit/settings_of.h"

enum { READERS = 3, SWAPS = 300 };

struct fixture {
    struct settings_share share;
    atomic_bool ends;
    atomic_ulong looked;
};

/* What a reader holds is whole, and one of those that were put there. */
static void *read_thread(void *arg)
{
    struct fixture *fixture = arg;

    do {
        struct settings *settings = settings_share_get(&fixture->share);

        if (settings->priority_count - 1 != settings->default_priority ||
            settings->relay_host[0] != 'r')
            return arg;
        settings_free(&settings);
        atomic_fetch_add(&fixture->looked, 1);
    } while (!atomic_load(&fixture->ends));
    return NULL;
}

static struct settings *numbered(int n)
{
    char text[128];

    snprintf(text, sizeof text, "PRIORITY_COUNT=%d\nDEFAULT_PRIORITY=%d\nRELAY_HOST=r%d.example\n",
             2 + n % 60, 1 + n % 60, n);
    return settings_of("", text);
}

static void nobody_has_settings_taken_away(void **state)
{
    struct fixture fixture = {.ends = false};
    struct settings *settings = numbered(0);
    pthread_t threads[READERS];
    void *failed;

    (void)state;
    settings_share_init(&fixture.share, settings);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_thread, &fixture), 0);
    for (int n = 1; n < SWAPS; n++) {
        settings_free(&settings);
        settings = numbered(n);
        settings_share_put(&fixture.share, settings);
    }
    atomic_store(&fixture.ends, true);
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_true(atomic_load(&fixture.looked) >= READERS);
    settings_share_put(&fixture.share, settings); /* the same, after a reload that was refused */
    settings_share_deinit(&fixture.share);
    assert_int_equal(settings->default_priority, 1 + (SWAPS - 1) % 60); /* the caller's own */
    settings_free(&settings);
    assert_null(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nobody_has_settings_taken_away)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
