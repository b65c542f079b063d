/* test_source - where a survey comes from, and what is said where it comes from nowhere */
#include "showqueues/source.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "survey/ask_socket.h"
#include "survey/survey_json.h"
#include "tests/unit/queues_fixture.h"
#include "tests/unit/settings_of.h"

#define RUNS "while peg-monitor runs"

/* What a child without rights has found. */
struct finding {
    bool is_taken;
    struct survey survey;
    char why[SOURCE_WHY_SIZE];
};

static struct settings *make_gateway(const char *root)
{
    char path[PATH_SIZE];

    make_queues(root, "var/spool/postfix-frontend");
    make_queues(root, "var/spool/postfix0");
    make_queues(root, "var/spool/postfix1");
    make_file(root, "var/spool/postfix1/hold/B123456");
    make_folder(root, "run/priority-email-gateway");
    path_in(root, "", path);
    assert_int_equal(chmod(path, 0755), 0);
    return settings_of(root, "PRIORITY_COUNT=2\nDEFAULT_PRIORITY=0\n");
}

static void lock(const char *root, const char *below)
{
    char path[PATH_SIZE];

    path_in(root, below, path);
    assert_int_equal(chmod(path, 0700), 0);
}

static void become(const char *user, const char *group_of)
{
    uid_t uid = getpwnam(user)->pw_uid;
    gid_t gid = getpwnam(group_of)->pw_gid;

    if (setgroups(0, NULL) != 0 || setgid(gid) != 0 || setuid(uid) != 0)
        _exit(2);
}

/* Take a survey in a child without rights, in the group of DAEMON_USER or not. Returns its pid. */
static pid_t start(const struct settings *settings, bool is_member, int fds[2])
{
    static struct finding finding;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    become("daemon", is_member ? settings->daemon_user : "daemon");
    finding.is_taken =
        source_take(settings, SURVEY_COUNTS, NULL, NULL, &finding.survey, finding.why);
    for (size_t done = 0; done < sizeof finding;) {
        ssize_t put = write(fds[1], (const char *)&finding + done, sizeof finding - done);

        if (put < 0)
            _exit(1);
        done += (size_t)put;
    }
    _exit(0);
}

static void collect(pid_t pid, int fds[2], struct finding *finding_r)
{
    int status;

    close(fds[1]);
    for (size_t done = 0; done < sizeof *finding_r;) {
        ssize_t got = read(fds[0], (char *)finding_r + done, sizeof *finding_r - done);

        assert_true(got > 0);
        done += (size_t)got;
    }
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void take(const struct settings *settings, bool is_member, struct finding *finding_r)
{
    int fds[2];
    pid_t pid = start(settings, is_member, fds);

    collect(pid, fds, finding_r);
}

/* The same where somebody answers, once, with len bytes. */
static void take_answered(const struct settings *settings, const char *answer, size_t len,
                          struct finding *finding_r)
{
    char request[16] = "";
    int listen_fd, fd, fds[2];
    pid_t pid;

    assert_true(ask_socket_place(settings));
    listen_fd = ask_socket_listen(settings);
    assert_true(listen_fd >= 0);
    pid = start(settings, true, fds);
    do
        fd = accept(listen_fd, NULL, NULL);
    while (fd < 0 && errno == EAGAIN);
    assert_int_equal(recv(fd, request, sizeof request - 1, 0), strlen("counts\n"));
    assert_string_equal(request, "counts\n");
    for (size_t done = 0; done < len;) {
        ssize_t put = send(fd, answer + done, len - done, MSG_NOSIGNAL);

        if (put <= 0) /* it has had enough */
            break;
        done += (size_t)put;
    }
    close(fd);
    collect(pid, fds, finding_r);
    close(listen_fd);
    ask_socket_remove(settings);
}

static void who_may_read_the_queues_reads_them(void **state)
{
    struct settings *settings = make_gateway(*state);
    static struct finding finding;

    take(settings, false, &finding);
    assert_true(finding.is_taken);
    assert_int_equal(finding.survey.instance_count, 3);
    assert_int_equal(finding.survey.instances[2].queues[QUEUE_HOLD].messages, 1);
    settings_free(&settings);
}

/* That an instance is not there is no question of rights. */
static void what_is_missing_is_told_by_the_survey(void **state)
{
    struct settings *settings = make_gateway(*state);
    char path[PATH_SIZE];
    static struct finding finding;

    path_in(*state, "var/spool/postfix0/hold", path);
    assert_int_equal(rmdir(path), 0);
    take(settings, false, &finding);
    assert_true(finding.is_taken);
    assert_false(finding.survey.instances[1].is_known);
    settings_free(&settings);
}

static void where_one_folder_may_not_be_read_peg_monitor_is_asked_for_all(void **state)
{
    struct settings *settings = make_gateway(*state);
    static struct survey told;
    static struct finding finding;
    char *text;

    lock(*state, "var/spool/postfix1/deferred");
    assert_true(survey_take(settings, SURVEY_COUNTS, NULL, NULL, &told));
    told.instances[0].queues[QUEUE_ACTIVE].messages = 4711;
    text = survey_json_write(&told);
    take_answered(settings, text, strlen(text), &finding);
    assert_string_equal(finding.why, "");
    assert_true(finding.is_taken);
    assert_int_equal(finding.survey.instances[0].queues[QUEUE_ACTIVE].messages, 4711);
    assert_int_equal(finding.survey.taken_ms, told.taken_ms);
    free(text);
    settings_free(&settings);
}

static void where_the_urgent_frontend_may_not_be_read_peg_monitor_is_asked(void **state)
{
    static const char conf[] = "PRIORITY_COUNT=2\nDEFAULT_PRIORITY=0\nURGENT_LISTEN=2525\n";
    struct settings *without = make_gateway(*state);
    struct settings *settings = settings_of(*state, conf);
    static struct finding finding;

    make_queues(*state, "var/spool/postfix-urgent");
    lock(*state, "var/spool/postfix-urgent/active");
    take(settings, true, &finding);
    assert_false(finding.is_taken);
    assert_non_null(strstr(finding.why, "/var/spool/postfix-urgent/active: Permission denied"));
    take(without, true, &finding);
    assert_true(finding.is_taken);
    settings_free(&settings);
    settings_free(&without);
}

static void answers_that_are_none_are_told_of(void **state)
{
    static const struct {
        const char *answer;
        const char *reason;
    } cases[] = {
        {"", "it has ended without an answer"},
        {"{", "its answer is not understood"},
        {"[]", "its answer is not understood"},
        {"{}", "its answer is not understood"},
        {"{\"version\": 999}", "where it is of another version than this, restart it"},
        {"\xff\xfe", "its answer is not understood"},
        {"{\"error\": \"there is none\"}", "peg-monitor: there is none; run this as root"},
    };
    struct settings *settings = make_gateway(*state);
    static struct finding finding;

    lock(*state, "var/spool/postfix-frontend/incoming");
    for (size_t i = 0; i < LENGTH(cases); i++) {
        take_answered(settings, cases[i].answer, strlen(cases[i].answer), &finding);
        assert_false(finding.is_taken);
        if (strstr(finding.why, cases[i].reason) == NULL)
            fail_msg("%s", finding.why);
    }
    settings_free(&settings);
}

static void an_answer_without_an_end_is_not_kept(void **state)
{
    struct settings *settings = make_gateway(*state);
    char *endless = calloc(1, SOURCE_ANSWER_SIZE_MAX + 1000000);
    static struct finding finding;

    lock(*state, "var/spool/postfix1/hold");
    memset(endless, ' ', SOURCE_ANSWER_SIZE_MAX + 1000000);
    take_answered(settings, endless, SOURCE_ANSWER_SIZE_MAX + 1000000, &finding);
    assert_false(finding.is_taken);
    assert_non_null(strstr(finding.why, "its answer does not end"));
    free(endless);
    settings_free(&settings);
}

/* Begins with the folder, names the group, and has `advice` in it. */
static void expect_refusal(const struct settings *settings, bool is_member, const char *advice)
{
    static struct finding finding;
    char begin[PATH_SIZE], group[64];

    take(settings, is_member, &finding);
    assert_false(finding.is_taken);
    snprintf(begin, sizeof begin, "%s/var/spool/postfix0/active: Permission denied",
             settings->root);
    snprintf(group, sizeof group, "the group %s",
             getgrgid(getpwnam(settings->daemon_user)->pw_gid)->gr_name);
    if (strncmp(finding.why, begin, strlen(begin)) != 0 || strstr(finding.why, group) == NULL ||
        strstr(finding.why, advice) == NULL)
        fail_msg("%s", finding.why);
}

static void strangers_are_told_of_the_group_and_members_that_nobody_is_there(void **state)
{
    static const char not_running[] = "does not run; start it (peg-ctl start monitor)";
    struct settings *settings = make_gateway(*state);
    int fd;

    lock(*state, "var/spool/postfix0/active");
    expect_refusal(settings, true, not_running); /* it has never run */
    assert_true(ask_socket_place(settings));
    expect_refusal(settings, true, not_running);
    expect_refusal(settings, false, RUNS);
    fd = ask_socket_listen(settings);
    assert_true(fd >= 0);
    expect_refusal(settings, false, RUNS);
    close(fd); /* as where it was killed */
    expect_refusal(settings, true, not_running);
    settings_free(&settings);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(who_may_read_the_queues_reads_them),
        TEST(what_is_missing_is_told_by_the_survey),
        TEST(where_one_folder_may_not_be_read_peg_monitor_is_asked_for_all),
        TEST(where_the_urgent_frontend_may_not_be_read_peg_monitor_is_asked),
        TEST(answers_that_are_none_are_told_of),
        TEST(an_answer_without_an_end_is_not_kept),
        TEST(strangers_are_told_of_the_group_and_members_that_nobody_is_there),
    };

    if (geteuid() != 0) /* only root makes strangers */
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
