/* test_survey - which instances are counted, and what becomes of one that cannot be */
#include "survey/survey.h"

#include <sys/file.h>
#include <sys/wait.h>

#include "lib/clock.h"
#include "tests/unit/queues_fixture.h"
#include "tests/unit/settings_of.h"

/* Make a file with a lock that ends with *fd_r. */
static void make_held_file(const char *root, const char *below, int *fd_r)
{
    char path[PATH_SIZE];

    path_in(root, below, path);
    make_file(root, below);
    *fd_r = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(*fd_r, LOCK_EX | LOCK_NB), 0);
}

static void the_frontend_and_all_instances_of_this_host_are_counted(void **state)
{
    const char *root = *state;
    struct settings *settings =
        settings_of(root, "PRIORITY_COUNT=3\nINSTANCE_NEXTHOP[1]=\"[192.0.2.1]:25\"\n");
    struct survey survey;

    make_queues(root, "var/spool/postfix-frontend");
    make_queues(root, "var/spool/postfix0");
    make_queues(root, "var/spool/postfix2");
    make_file(root, "var/spool/postfix-frontend/active/A123456");
    make_file(root, "var/spool/postfix2/deferred/B123456");
    assert_true(survey_take(settings, SURVEY_COUNTS, NULL, NULL, &survey));
    assert_int_equal(survey.instance_count, 3);
    assert_int_equal(survey.instances[0].instance, PEG_FRONTEND);
    assert_int_equal(survey.instances[0].queues[QUEUE_ACTIVE].messages, 1);
    assert_int_equal(survey.instances[1].instance, 0);
    assert_int_equal(survey_messages(&survey.instances[1]), 0);
    assert_int_equal(survey.instances[2].instance, 2);
    assert_int_equal(survey.instances[2].queues[QUEUE_DEFERRED].messages, 1);
    for (size_t i = 0; i < 3; i++)
        assert_true(survey.instances[i].is_known);
    assert_int_equal(survey.milter.state, SURVEY_DOWN);
    settings_free(&settings);
}

static void the_urgent_frontend_comes_first_where_it_is_there(void **state)
{
    const char *root = *state;
    struct settings *settings = settings_of(root, "PRIORITY_COUNT=2\nURGENT_LISTEN=2525\n");
    struct settings *without = settings_of(root, "PRIORITY_COUNT=2\n");
    struct survey survey;
    int master_fd;

    make_queues(root, "var/spool/postfix-urgent");
    make_queues(root, "var/spool/postfix-frontend");
    make_file(root, "var/spool/postfix-urgent/active/A123456");
    make_folder(root, "var/spool/postfix-urgent/pid");
    make_held_file(root, "var/spool/postfix-urgent/pid/master.pid", &master_fd);
    assert_true(survey_take(settings, SURVEY_COUNTS, NULL, NULL, &survey));
    assert_int_equal(survey.instance_count, 4);
    assert_int_equal(survey.instances[0].instance, PEG_URGENT);
    assert_int_equal(survey.instances[0].queues[QUEUE_ACTIVE].messages, 1);
    assert_int_equal(survey.instances[0].state, SURVEY_UP);
    assert_int_equal(survey.instances[1].instance, PEG_FRONTEND);
    assert_int_equal(survey_messages(&survey.instances[1]), 0);
    assert_int_equal(survey.instances[2].instance, 0);
    assert_true(survey_take(without, SURVEY_COUNTS, NULL, NULL, &survey));
    assert_int_equal(survey.instance_count, 3);
    assert_null(survey_find(&survey, PEG_URGENT));
    close(master_fd);
    settings_free(&settings);
    settings_free(&without);
}

static void one_that_cannot_be_counted_says_why_and_the_others_are(void **state)
{
    const char *root = *state;
    struct settings *settings = settings_of(root, "PRIORITY_COUNT=2\n");
    struct survey survey;

    make_queues(root, "var/spool/postfix-frontend");
    make_queues(root, "var/spool/postfix1");
    make_file(root, "var/spool/postfix1/hold/B123456");
    assert_true(survey_take(settings, SURVEY_COUNTS, NULL, NULL, &survey));
    assert_int_equal(survey.instance_count, 3);
    assert_true(survey.instances[0].is_known);
    assert_false(survey.instances[1].is_known);
    assert_non_null(strstr(survey.instances[1].why, "/var/spool/postfix0: No such file"));
    assert_int_equal(survey.instances[2].queues[QUEUE_HOLD].messages, 1);
    settings_free(&settings);
}

static bool is_over_the_second_time(void *arg)
{
    int *asked = arg;

    return ++*asked == 2;
}

static void it_ends_between_two_instances_as_well(void **state)
{
    const char *root = *state;
    struct settings *settings = settings_of(root, "PRIORITY_COUNT=2\n");
    struct survey survey;
    int asked = 0;

    make_queues(root, "var/spool/postfix-frontend");
    make_queues(root, "var/spool/postfix0");
    assert_false(survey_take(settings, SURVEY_COUNTS, is_over_the_second_time, &asked, &survey));
    assert_int_equal(asked, 2);
    settings_free(&settings);
}

/* A queue file as cleanup(8) writes it, of one record after the other. */
static void make_queue_file(const char *root, const char *below, const char *size, const char *time)
{
    char path[PATH_SIZE];
    FILE *file;

    path_in(root, below, path);
    make_file(root, below);
    file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "C%c%sT%c%sS%c", (int)strlen(size), size, (int)strlen(time), time, 0);
    assert_int_equal(fclose(file), 0);
}

static void delete_file(const char *root, const char *below)
{
    char path[PATH_SIZE];

    path_in(root, below, path);
    assert_int_equal(unlink(path), 0);
}

static void details_are_those_of_all_complete_messages(void **state)
{
    const char *root = *state;
    struct settings *settings = settings_of(root, "PRIORITY_COUNT=2\n");
    const struct survey_queue *queue;
    struct survey survey;

    make_queues(root, "var/spool/postfix-frontend");
    make_queues(root, "var/spool/postfix0");
    make_queues(root, "var/spool/postfix1");
    make_folder(root, "var/spool/postfix1/deferred/B");
    make_queue_file(root, "var/spool/postfix1/deferred/B/B1", "1000 685 2", "1795660200 123456");
    make_queue_file(root, "var/spool/postfix1/deferred/B2", "500 685 1", "1795660100 999999");
    make_queue_file(root, "var/spool/postfix1/incoming/B3", "0 0 0", "1000000000 0");
    assert_true(survey_take(settings, SURVEY_DETAILS, NULL, NULL, &survey));
    assert_int_equal(survey.detail, SURVEY_DETAILS);
    queue = &survey.instances[2].queues[QUEUE_DEFERRED];
    assert_int_equal(queue->messages, 2);
    assert_int_equal(queue->octets, 1500);
    assert_int_equal(queue->recipients, 3);
    assert_int_equal(queue->oldest_ms, INT64_C(1795660100999));
    queue = &survey.instances[2].queues[QUEUE_INCOMING]; /* cleanup(8) is writing it */
    assert_int_equal(queue->messages, 1);
    assert_int_equal(queue->octets, 0);
    assert_int_equal(queue->oldest_ms, 0);
    assert_true(survey_take(settings, SURVEY_COUNTS, NULL, NULL, &survey));
    queue = &survey.instances[2].queues[QUEUE_DEFERRED];
    assert_int_equal(queue->messages, 2);
    assert_int_equal(queue->octets, 0);
    assert_int_equal(queue->oldest_ms, 0);
    settings_free(&settings);
}

static void queues_that_are_long_to_read_are_only_counted_for_a_while(void **state)
{
    const char *root = *state;
    struct settings *settings = settings_of(root, "PRIORITY_COUNT=2\n");
    struct survey before, survey;
    struct survey_instance *late = &before.instances[2];

    make_queues(root, "var/spool/postfix-frontend");
    make_queues(root, "var/spool/postfix0");
    make_queues(root, "var/spool/postfix1");
    make_queue_file(root, "var/spool/postfix0/deferred/A1", "1000 685 2", "1795660200 0");
    make_queue_file(root, "var/spool/postfix1/deferred/B1", "1000 685 2", "1795660200 0");
    make_queue_file(root, "var/spool/postfix1/hold/B2", "10 685 1", "1795660200 0");
    assert_true(survey_take(settings, SURVEY_DETAILS, NULL, NULL, &before));
    assert_false(late->has_old_details);
    before.instances[1].details_took_ms = 0; /* on a slow machine as well */
    late->details_took_ms = 60 * 60 * 1000;  /* as if it had */
    make_queue_file(root, "var/spool/postfix0/deferred/A3", "500 685 1", "1795660100 0");
    make_queue_file(root, "var/spool/postfix1/deferred/B3", "500 685 1", "1795660100 0");
    delete_file(root, "var/spool/postfix1/hold/B2");
    assert_true(survey_take_next(settings, &before, NULL, NULL, &survey));
    assert_false(survey.instances[1].has_old_details);
    assert_int_equal(survey.instances[1].queues[QUEUE_DEFERRED].octets, 1500);
    assert_true(survey.instances[2].has_old_details);
    assert_int_equal(survey.instances[2].queues[QUEUE_DEFERRED].messages, 2);
    assert_int_equal(survey.instances[2].queues[QUEUE_DEFERRED].octets, 1000);
    assert_int_equal(survey.instances[2].queues[QUEUE_HOLD].messages, 0);
    assert_int_equal(survey.instances[2].queues[QUEUE_HOLD].octets, 0); /* there is none */
    before = survey;
    late->details_took_ms = 0; /* as if ten times that had passed */
    assert_true(survey_take_next(settings, &before, NULL, NULL, &survey));
    assert_false(survey.instances[2].has_old_details);
    assert_int_equal(survey.instances[2].queues[QUEUE_DEFERRED].octets, 1500);
    settings_free(&settings);
}

/* In a process of its own, since root can read everything. */
static void a_queue_file_that_cannot_be_read_is_named(void **state)
{
    const char *root = *state;
    struct settings *settings = settings_of(root, "PRIORITY_COUNT=2\n");
    struct survey survey;
    char path[PATH_SIZE];
    int status;
    pid_t pid;

    make_queues(root, "var/spool/postfix-frontend");
    make_queues(root, "var/spool/postfix1");
    make_file(root, "var/spool/postfix1/hold/A1");
    make_queue_file(root, "var/spool/postfix-frontend/hold/C1", "1 2 3", "17 0");
    path_in(root, "var/spool/postfix-frontend/hold/C1", path);
    assert_int_equal(chmod(path, 0644), 0);
    path_in(root, "var/spool/postfix1/hold/A1", path);
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(chmod(root, 0755), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(2);
        if (!survey_take(settings, SURVEY_DETAILS, NULL, NULL, &survey) ||
            survey.instances[2].is_known || survey.instances[2].queues[QUEUE_HOLD].messages != 0)
            _exit(3);
        if (strstr(survey.instances[2].why, "/hold/A1: Permission denied, run this as root") ==
            NULL)
            _exit(4);
        _exit(survey.instances[0].queues[QUEUE_HOLD].octets == 1 ? 0 : 5);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    settings_free(&settings);
}

static bool is_over_the_fifth_time(void *arg)
{
    int *asked = arg;

    return ++*asked == 5;
}

static void a_long_one_can_be_ended(void **state)
{
    const char *root = *state;
    struct settings *settings = settings_of(root, "PRIORITY_COUNT=2\n");
    struct survey survey;
    char name[PATH_SIZE];
    int asked = 0;

    make_queues(root, "var/spool/postfix-frontend");
    make_queues(root, "var/spool/postfix0");
    make_queues(root, "var/spool/postfix1");
    for (int n = 0; n < 450; n++) {
        snprintf(name, sizeof name, "var/spool/postfix-frontend/hold/%X", 0x100000 + n);
        make_file(root, name);
    }
    assert_false(survey_take(settings, SURVEY_DETAILS, is_over_the_fifth_time, &asked, &survey));
    assert_int_equal(asked, 5); /* before the first instance, and after every 100 messages of it */
    assert_true(survey_take(settings, SURVEY_COUNTS, is_over_the_fifth_time, &asked, &survey));
    assert_int_equal(asked, 5 + 3 + 4);
    assert_int_equal(survey.instances[0].queues[QUEUE_HOLD].messages, 450);
    settings_free(&settings);
}

static void who_runs_is_up_since_its_start(void **state)
{
    const char *root = *state;
    struct settings *settings = settings_of(root, "PRIORITY_COUNT=2\n");
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1795660200, .tv_nsec = 123456789}};
    int64_t begun_ms = clock_wall_ms();
    struct survey survey;
    int master_fd, milter_fd, tcpmap_fd;

    make_folder(root, "var/spool/postfix-frontend/pid");
    make_folder(root, "var/spool/postfix0/pid");
    make_folder(root, "run/priority-email-gateway");
    make_held_file(root, "var/spool/postfix0/pid/master.pid", &master_fd);
    assert_int_equal(futimens(master_fd, times), 0);
    make_file(root, "var/spool/postfix-frontend/pid/master.pid");
    make_held_file(root, "run/priority-email-gateway/peg-milter.pid", &milter_fd);
    make_held_file(root, "run/priority-email-gateway/peg-tcpmap.pid", &tcpmap_fd);
    make_file(root, "run/priority-email-gateway/peg-tcpmap.pid.before");
    assert_int_equal(futimens(tcpmap_fd, times), 0); /* not what counts: it is alive, that is all */
    assert_true(survey_take(settings, SURVEY_COUNTS, NULL, NULL, &survey));
    assert_int_equal(survey.instances[0].state, SURVEY_DOWN);
    assert_int_equal(survey.instances[0].up_since_ms, 0);
    assert_int_equal(survey.instances[1].state, SURVEY_UP);
    assert_int_equal(survey.instances[1].up_since_ms, INT64_C(1795660200123));
    assert_int_equal(survey.instances[2].state, SURVEY_DOWN);
    assert_int_equal(survey.milter.state, SURVEY_UP);
    assert_int_equal(survey.milter.up_since_ms, 0);
    assert_int_equal(survey.tcpmap.state, SURVEY_UP);
    assert_in_range(survey.tcpmap.up_since_ms, begun_ms - 100, clock_wall_ms());
    close(master_fd);
    assert_true(survey_take(settings, SURVEY_COUNTS, NULL, NULL, &survey));
    assert_int_equal(survey.instances[1].state, SURVEY_DOWN);
    close(milter_fd);
    close(tcpmap_fd);
    settings_free(&settings);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_frontend_and_all_instances_of_this_host_are_counted),
        TEST(the_urgent_frontend_comes_first_where_it_is_there),
        TEST(one_that_cannot_be_counted_says_why_and_the_others_are),
        TEST(it_ends_between_two_instances_as_well),
        TEST(details_are_those_of_all_complete_messages),
        TEST(queues_that_are_long_to_read_are_only_counted_for_a_while),
        TEST(a_queue_file_that_cannot_be_read_is_named),
        TEST(a_long_one_can_be_ended),
        TEST(who_runs_is_up_since_its_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
