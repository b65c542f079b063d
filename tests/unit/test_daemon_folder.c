/* test_daemon_folder - the folders of daemons, while their user exchanges them */
#include "lib/daemon.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { TRIES = 5000, PATH_SIZE = 64 };

struct place {
    char above[PATH_SIZE], folder[PATH_SIZE], link[PATH_SIZE], victim[PATH_SIZE];
    atomic_bool is_over;
};

static void *exchange(void *arg)
{
    struct place *place = arg;

    while (!atomic_load(&place->is_over))
        renameat2(AT_FDCWD, place->folder, AT_FDCWD, place->link, RENAME_EXCHANGE);
    return NULL;
}

static void begin(struct place *place)
{
    snprintf(place->above, sizeof place->above, "/tmp/daemon.XXXXXX");
    assert_non_null(mkdtemp(place->above));
    snprintf(place->folder, sizeof place->folder, "%.30s/folder", place->above);
    snprintf(place->link, sizeof place->link, "%.30s/link", place->above);
    snprintf(place->victim, sizeof place->victim, "%.30s/victim", place->above);
    assert_int_equal(mkdir(place->folder, 0755), 0);
    assert_int_equal(mkdir(place->victim, 0700), 0);
    assert_int_equal(symlink(place->victim, place->link), 0);
    atomic_init(&place->is_over, false);
}

static void end(const struct place *place)
{
    remove(place->folder);
    remove(place->link);
    remove(place->victim);
    remove(place->above);
}

static void what_a_link_leads_to_is_never_changed(void **state)
{
    struct place place;
    pthread_t thread;
    struct stat status;

    (void)state;
    begin(&place);
    assert_int_equal(pthread_create(&thread, NULL, exchange, &place), 0);
    for (int i = 0; i < TRIES; i++)
        (void)!daemon_folder(place.folder, "nobody", NULL, 02750);
    atomic_store(&place.is_over, true);
    pthread_join(thread, NULL);
    assert_int_equal(stat(place.victim, &status), 0);
    assert_int_equal(status.st_mode, S_IFDIR | 0700);
    assert_int_equal(status.st_uid, geteuid());
    end(&place);
}

static void a_folder_gets_exactly_this_owner_and_mode(void **state)
{
    struct place place;
    struct stat status;

    (void)state;
    begin(&place);
    assert_true(daemon_folder(place.folder, "nobody", NULL, 02750));
    assert_int_equal(stat(place.folder, &status), 0);
    if (geteuid() == 0) {
        assert_int_equal(status.st_mode, S_IFDIR | 02750);
        assert_int_not_equal(status.st_uid, 0);
    }
    assert_false(daemon_folder(place.link, "nobody", NULL, 02750));
    end(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_link_leads_to_is_never_changed),
        cmocka_unit_test(a_folder_gets_exactly_this_owner_and_mode),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
