/* test_queues - counting in a made-up queue directory */
#include "survey/queues.h"

#include <sys/wait.h>

#include "tests/unit/queues_fixture.h"

static void messages_are_counted_in_flat_and_in_hashed_queues(void **state)
{
    const char *root = *state;
    struct queue_counts counts;
    char why[QUEUES_WHY_SIZE];

    make_queues(root, ".");
    make_file(root, "incoming/4Bxyz01234zABC");
    make_folder(root, "active/A");
    make_file(root, "active/A/A12BC3D4E5");
    make_file(root, "active/F00D1234");
    make_folder(root, "deferred/0/F");
    make_folder(root, "deferred/_");
    make_file(root, "deferred/0/0123456789");
    make_file(root, "deferred/0/F/0F23456789");
    make_file(root, "deferred/_/A1");
    for (int i = 0; i < 5; i++) {
        char name[32];

        snprintf(name, sizeof name, "hold/ABCDEF%d", i);
        make_file(root, name);
    }
    assert_true(queues_count(root, &counts, why));
    assert_int_equal(counts.incoming, 1);
    assert_int_equal(counts.active, 2);
    assert_int_equal(counts.deferred, 3);
    assert_int_equal(counts.hold, 5);
    assert_int_equal(queues_total(&counts), 11);
}

static void what_is_no_queue_file_is_not_counted(void **state)
{
    const char *root = *state;
    struct queue_counts counts;
    char why[QUEUES_WHY_SIZE];
    char link[PATH_SIZE];

    make_queues(root, ".");
    make_folder(root, "outside");
    make_file(root, "outside/ABCDEF0123");
    make_file(root, "active/.hidden");
    make_file(root, "active/core.1234");
    make_file(root, "active/ABC-DEF");
    make_file(root, "active/dest_example");
    make_folder(root, "active/lost+found");
    make_folder(root, "active/backup");
    make_file(root, "active/backup/ABCDEF0123");
    make_folder(root, "active/ABCDEF9999");
    path_in(root, "active/B", link);
    assert_int_equal(symlink("../outside", link), 0);
    path_in(root, "active/ABCDEF7777", link);
    assert_int_equal(symlink("../outside/ABCDEF0123", link), 0);
    path_in(root, "active/ABCDEF8888", link);
    assert_int_equal(mkfifo(link, 0600), 0);
    assert_true(queues_count(root, &counts, why));
    assert_int_equal(queues_total(&counts), 0);
}

static void a_missing_queue_is_an_error_that_names_it(void **state)
{
    const char *root = *state;
    struct queue_counts counts = {1, 2, 3, 4};
    char why[QUEUES_WHY_SIZE];
    char expected[QUEUES_WHY_SIZE + 128];

    make_folder(root, "incoming");
    make_file(root, "incoming/ABCDEF0123");
    make_folder(root, "active");
    assert_false(queues_count(root, &counts, why));
    snprintf(expected, sizeof expected,
             "%s/deferred: No such file or directory, make the instance with 'peg-gen apply'",
             root);
    assert_string_equal(why, expected);
    assert_int_equal(counts.incoming, 1);
    assert_int_equal(counts.hold, 4);
}

static void a_missing_queue_directory_is_an_error_that_names_it(void **state)
{
    const char *root = *state;
    struct queue_counts counts;
    char why[QUEUES_WHY_SIZE];
    char path[PATH_SIZE];

    path_in(root, "nowhere", path);
    assert_false(queues_count(path, &counts, why));
    assert_int_equal(strncmp(why, path, strlen(path)), 0);
    assert_non_null(strstr(why, ": No such file or directory, "));
}

/* In a process of its own, since root can read everything. */
static void an_unreadable_queue_is_an_error_that_says_what_to_do(void **state)
{
    const char *root = *state;
    struct queue_counts counts;
    char why[QUEUES_WHY_SIZE];
    char path[PATH_SIZE];
    int status;
    pid_t pid;

    make_queues(root, ".");
    assert_int_equal(chmod(root, 0755), 0);
    path_in(root, "hold", path);
    assert_int_equal(chmod(path, 0), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(2);
        _exit(!queues_count(root, &counts, why) &&
                      strstr(why, "/hold: Permission denied, run this as root") != NULL
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(chmod(path, 0755), 0);
    assert_int_equal(status, 0);
}

static bool remove_visited(void *arg, int dir_fd, const char *name)
{
    int *visits = arg;

    ++*visits;
    assert_int_equal(unlinkat(dir_fd, name, 0), 0);
    return true;
}

static void a_walk_gives_every_message_with_the_folder_it_is_in(void **state)
{
    const char *root = *state;
    struct queue_counts counts;
    char why[QUEUES_WHY_SIZE];
    int visits = 0;

    make_queues(root, ".");
    make_folder(root, "deferred/A");
    make_file(root, "deferred/A/A123456");
    make_file(root, "deferred/B123456");
    assert_true(queues_walk(root, QUEUE_DEFERRED, remove_visited, &visits, why));
    assert_int_equal(visits, 2);
    assert_true(queues_count(root, &counts, why));
    assert_int_equal(queues_total(&counts), 0);
}

static bool end_at_second(void *arg, int dir_fd, const char *name)
{
    int *visits = arg;

    (void)dir_fd, (void)name;
    return ++*visits < 2;
}

static void a_walk_ends_where_the_visitor_says(void **state)
{
    const char *root = *state;
    char why[QUEUES_WHY_SIZE] = "untouched";
    int visits = 0;

    make_queues(root, ".");
    make_folder(root, "deferred/A");
    make_file(root, "deferred/A/A123456");
    make_file(root, "deferred/A/A234567");
    make_file(root, "deferred/B123456");
    make_file(root, "deferred/C123456");
    assert_false(queues_walk(root, QUEUE_DEFERRED, end_at_second, &visits, why));
    assert_int_equal(visits, 2);
    assert_string_equal(why, "");
}

static bool add_queue(void *arg, enum queue queue, int dir_fd, const char *name)
{
    unsigned *queues = arg;

    (void)dir_fd;
    assert_int_equal(name[0], queues_name(queue)[0] - 'a' + 'A');
    *queues |= 1U << queue;
    return queue != QUEUE_DEFERRED || name[1] != 'X';
}

static void a_walk_through_all_tells_the_queue(void **state)
{
    const char *root = *state;
    char why[QUEUES_WHY_SIZE] = "untouched";
    unsigned queues = 0;

    assert_true(queues_walk_all(root, add_queue, &queues, why)); /* it was never started */
    assert_int_equal(queues, 0);
    make_queues(root, ".");
    make_file(root, "incoming/I123456");
    make_file(root, "active/A123456");
    make_file(root, "deferred/D123456");
    make_file(root, "hold/H123456");
    assert_true(queues_walk_all(root, add_queue, &queues, why));
    assert_int_equal(queues, (1U << QUEUE_COUNT) - 1);
    queues = 0;
    make_file(root, "deferred/DX");
    assert_false(queues_walk_all(root, add_queue, &queues, why));
    assert_string_equal(why, "");
    assert_int_equal(queues & 1U << QUEUE_HOLD, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(messages_are_counted_in_flat_and_in_hashed_queues),
        TEST(what_is_no_queue_file_is_not_counted),
        TEST(a_missing_queue_is_an_error_that_names_it),
        TEST(a_missing_queue_directory_is_an_error_that_names_it),
        TEST(an_unreadable_queue_is_an_error_that_says_what_to_do),
        TEST(a_walk_gives_every_message_with_the_folder_it_is_in),
        TEST(a_walk_ends_where_the_visitor_says),
        TEST(a_walk_through_all_tells_the_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
