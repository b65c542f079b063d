/* test_queued - what is made of `postqueue -j`, played by a script in a folder of our own */
#include "admin/queued.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/fake_postqueue.h"

#define NO_MESSAGE "no queue_id, queue_name, arrival_time or recipients"
#define BEGIN "{\"queue_name\": \"a\", \"queue_id\": \"b\""
#define GOOD MESSAGE("active", "GOOD1", RECIPIENT("good@dest.example"))

/* What was seen: `QUEUE ID <RECIPIENT>...` and a newline for each message. */
struct seen {
    char *text;
    size_t len;
    FILE *out;
};

static void each(void *arg, const struct queued_message *message)
{
    struct seen *seen = arg;

    assert_int_equal(message->arrival_s, 1);
    fprintf(seen->out, "%s %s", message->queue_name, message->queue_id);
    for (size_t i = 0; i < message->recipient_count; i++)
        fprintf(seen->out, " <%s>", message->recipients[i]);
    fputc('\n', seen->out);
}

static size_t open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(dir);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

/* Ask; leaves no process and no open file behind. seen_r->text is to be freed. */
static bool ask(struct seen *seen_r, char why_r[QUEUED_WHY_SIZE])
{
    size_t files = open_files();
    bool good;

    *seen_r = (struct seen){0};
    seen_r->out = open_memstream(&seen_r->text, &seen_r->len);
    assert_non_null(seen_r->out);
    why_r[0] = '\0';
    good = queued_each("/etc/postfix frontend", each, seen_r, why_r);
    assert_int_equal(fclose(seen_r->out), 0);
    assert_int_equal(open_files(), files);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    return good;
}

static void expect_seen(const char *text)
{
    struct seen seen;
    char why[QUEUED_WHY_SIZE];

    assert_true(ask(&seen, why));
    assert_string_equal(why, "");
    assert_string_equal(seen.text, text);
    free(seen.text);
}

/* reason is how why_r begins: the rest may be words of a library. */
static void expect_failure(const char *text, const char *reason)
{
    struct seen seen;
    char why[QUEUED_WHY_SIZE];

    assert_false(ask(&seen, why));
    why[strlen(why) < strlen(reason) ? strlen(why) : strlen(reason)] = '\0';
    assert_string_equal(why, reason);
    assert_string_equal(seen.text, text);
    free(seen.text);
}

static void each_message_is_listed_with_its_recipients(void **state)
{
    (void)state;
    play_output(MESSAGE("active", "3ED0FA744F2", RECIPIENT("bob@dest.example"))
                    MESSAGE("maildrop", "4A", "")
                        MESSAGE("deferred", "4zQ0Xk1BwZzF",
                                DELAYED("a@x.example") ", " RECIPIENT("b@Y.example")),
                "", 0);
    expect_seen("active 3ED0FA744F2 <bob@dest.example>\n"
                "maildrop 4A\n"
                "deferred 4zQ0Xk1BwZzF <a@x.example> <b@Y.example>\n");
}

static void expect_file(const char *name, const char *expected)
{
    char *text = read_file(name);

    assert_string_equal(text, expected);
    free(text);
}

static void it_is_given_the_folder_and_nothing_to_read(void **state)
{
    int saved_stdin = dup(STDIN_FILENO);

    (void)state;
    assert_true(saved_stdin >= 0);
    assert_int_equal(dup2(STDERR_FILENO, STDIN_FILENO), STDIN_FILENO);
    play_output(GOOD, "", 0);
    expect_seen("active GOOD1 <good@dest.example>\n");
    expect_file("args", "-c|/etc/postfix frontend|-j|");
    expect_file("stdin", "/dev/null\n");
    assert_int_equal(dup2(saved_stdin, STDIN_FILENO), STDIN_FILENO);
    close(saved_stdin);
}

static void it_gets_none_of_our_files_and_no_ignored_signal(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    play("#!/bin/sh\ncd \"${0%/*}\"\nout=$(readlink /proc/$$/fd/1)\nls -l /proc/$$/fd >files\n"
         "grep -cF \"$out\" files >args\ngrep -c postqueue-errors files >>args\n"
         "kill -PIPE $$\n");
    expect_failure("", "postqueue was ended by signal 13");
    expect_file("args", "1\n1\n");
    signal(SIGPIPE, SIG_DFL);
}

static void an_empty_queue_is_no_failure(void **state)
{
    (void)state;
    play_output("", "", 0);
    expect_seen("");
}

static void what_postfix_quotes_is_unquoted_once(void **state)
{
    (void)state;
    play_output(
        MESSAGE("hold", "A1",
                RECIPIENT("\\\"quo ted\\\"@d.example") ", " RECIPIENT(
                    "\\\"q\\\\\\\"x\\\"@d.example") ", " RECIPIENT("back\\\\slash@d.example")),
        "", 0);
    expect_seen("hold A1 <\"quo ted\"@d.example> <\"q\\\"x\"@d.example> <back\\slash@d.example>\n");
}

/* Postfix lets them pass where two of their bytes look like UTF-8. */
static void bytes_that_are_no_utf8_are_not_shown(void **state)
{
    static const char *const bytes[] = {"\x80",
                                        "\xc3",
                                        "\xc1\xa0",
                                        "\xe2\x82",
                                        "\xe0\x80\x80",
                                        "\xed\xa0\x80",
                                        "\xf0\x80\x80\x80",
                                        "\xf4\x90\x80\x80",
                                        "\xf0\x9f\x92",
                                        "\xf5\x80\x80",
                                        "\xff"};

    (void)state;
    for (size_t i = 0; i < LENGTH(bytes); i++) {
        char output[1024], expected[256];

        snprintf(output, sizeof output,
                 "{\"queue_name\": \"hold\", \"queue_id\": \"A1\", \"arrival_time\": 1, "
                 "\"sender\": \"a%s\", "
                 "\"recipients\": [" RECIPIENT("%s@d") ", " RECIPIENT("%s\xc3\xb6@d") "]}\n" GOOD,
                 bytes[i], bytes[i], bytes[i]);
        snprintf(expected, sizeof expected,
                 "hold A1 <%.*s@d> <%.*s\xc3\xb6@d>\nactive GOOD1 <good@dest.example>\n",
                 (int)strlen(bytes[i]), "????", (int)strlen(bytes[i]), "????");
        play_output(output, "", 0);
        expect_seen(expected);
    }
}

/* The first and the last of each length. */
static void utf8_stays_as_it_is(void **state)
{
    (void)state;
    play_output(MESSAGE("hold", "A1",
                        RECIPIENT("\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf"
                                  "\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf@d")),
                "", 0);
    expect_seen("hold A1 <\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf"
                "\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf@d>\n");
}

static void a_thousand_recipients_come_in_order(void **state)
{
    enum { COUNT = 1000 };
    char *text = NULL, *expected = NULL;
    size_t text_len, expected_len;
    FILE *out = open_memstream(&text, &text_len);
    FILE *list = open_memstream(&expected, &expected_len);

    (void)state;
    fputs("{\"queue_name\": \"deferred\", \"queue_id\": \"M1\", \"arrival_time\": 1, "
          "\"recipients\": [",
          out);
    fputs("active GOOD1 <good@dest.example>\ndeferred M1", list);
    for (int i = 0; i < COUNT; i++) {
        fprintf(out, "%s{\"address\": \"user%d@dest.example\", \"delay_reason\": \"%0500d\"}",
                i > 0 ? ", " : "", i, 0);
        fprintf(list, " <user%d@dest.example>", i);
    }
    fputs("]}\n", out);
    fputs("\nactive GOOD1 <good@dest.example>\n", list);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(fclose(list), 0);
    write_file("many", text, 0644);
    play_output(GOOD, "", 0);
    play("#!/bin/sh\ncd \"${0%/*}\"\ncat output many output\n");
    expect_seen(expected);
    free(text);
    free(expected);
}

static void a_line_that_is_not_understood_ends_it(void **state)
{
    static const struct {
        const char *line;
        const char *reason;
    } cases[] = {
        {"{\n", ""},
        {"\n", ""},
        {"[]\n", NO_MESSAGE},
        {"{}\n", NO_MESSAGE},
        {MESSAGE("", "A1", ""), NO_MESSAGE},
        {MESSAGE("active", "", ""), NO_MESSAGE},
        {BEGIN ", \"arrival_time\": \"1\", \"recipients\": []}\n", NO_MESSAGE},
        {BEGIN ", \"arrival_time\": 1}\n", NO_MESSAGE},
        {BEGIN ", \"arrival_time\": 1, \"recipients\": {}}\n", NO_MESSAGE},
        {"{\"queue_name\": \"a\", \"queue_id\": 7, \"arrival_time\": 1, \"recipients\": []}\n",
         NO_MESSAGE},
        {BEGIN ", \"queue_id\": \"c\", \"arrival_time\": 1, \"recipients\": []}\n", ""},
        {MESSAGE("active", "A1", RECIPIENT("a@b") ", {}"), "recipient 2 has no address"},
        {MESSAGE("active", "A1", "\"a@b\""), "recipient 1 has no address"},
        {MESSAGE("active", "A1", RECIPIENT("")), "recipient 1 has no address"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char output[1024], reason[QUEUED_WHY_SIZE];

        snprintf(output, sizeof output, GOOD "%s" GOOD, cases[i].line);
        snprintf(reason, sizeof reason, "line 2 of what postqueue wrote: %s", cases[i].reason);
        play_output(output, "", 0);
        expect_failure("active GOOD1 <good@dest.example>\n", reason);
    }
}

static void a_listing_cut_short_is_a_failure(void **state)
{
    static const size_t cuts[] = {1, 20, sizeof GOOD - 2}; /* the last: all but the newline */

    (void)state;
    for (size_t i = 0; i < LENGTH(cuts); i++) {
        char output[1024];

        snprintf(output, sizeof output, GOOD "%.*s", (int)cuts[i], GOOD);
        play_output(output, "", 0);
        expect_failure("active GOOD1 <good@dest.example>\n",
                       "line 2 of what postqueue wrote: the end of the line is missing");
        play_output(output, "postqueue: fatal: malformed showq server response\n", 70);
        expect_failure("active GOOD1 <good@dest.example>\n",
                       "postqueue: fatal: malformed showq server response");
    }
}

static void a_bad_end_spoils_a_good_listing(void **state)
{
    (void)state;
    play_output(GOOD, "", 69);
    expect_failure("active GOOD1 <good@dest.example>\n", "postqueue ended with status 69");
    play("#!/bin/sh\ncd \"${0%/*}\"\ncat output\nkill -9 $$\n");
    expect_failure("active GOOD1 <good@dest.example>\n", "postqueue was ended by signal 9");
}

static void the_last_line_of_its_errors_is_the_reason(void **state)
{
    char errors[8192];

    (void)state;
    play_output("", "postqueue: error: first\nsecond\npostqueue: fatal: last\n", 69);
    expect_failure("", "postqueue: fatal: last");
    play_output("", "no newline", 69);
    expect_failure("", "no newline");
    play_output("", "\n\n", 69);
    expect_failure("", "postqueue ended with status 69");
    memset(errors, 'e', sizeof errors);
    strcpy(errors + sizeof errors - 40, "\npostqueue: fatal: last\n");
    play_output("", errors, 69);
    expect_failure("", "postqueue: fatal: last");
}

static void warnings_alone_are_no_failure(void **state)
{
    (void)state;
    play_output(GOOD, "postqueue: warning: something\n", 0);
    expect_seen("active GOOD1 <good@dest.example>\n");
}

static void after_its_last_line_it_may_take_its_time(void **state)
{
    (void)state;
    play("#!/bin/sh\nexec >&-\ni=0\nwhile [ $i -lt 20000 ]; do i=$((i + 1)); done\n");
    expect_seen("");
}

static void more_errors_than_a_pipe_holds_do_not_block_it(void **state)
{
    (void)state;
    play_output(GOOD, "", 0);
    play("#!/bin/sh\ncd \"${0%/*}\"\nhead -c 1000000 /dev/zero >&2\ncat output\n");
    expect_seen("active GOOD1 <good@dest.example>\n");
}

static void after_a_bad_line_nobody_waits_for_more(void **state)
{
    (void)state;
    alarm(60);
    play("#!/bin/sh\necho bad\nexec sleep 1000\n");
    expect_failure("", "line 1 of what postqueue wrote: ");
    play("#!/bin/sh\nexec yes bad\n");
    expect_failure("", "line 1 of what postqueue wrote: ");
    alarm(0);
}

static void what_cannot_be_started_is_a_failure(void **state)
{
    char reason[QUEUED_WHY_SIZE];

    (void)state;
    play("#!/nonexistent/shell\n");
    snprintf(reason, sizeof reason, "start %.256s/postqueue: No such file or directory", folder);
    expect_failure("", reason);
}

/* In a process of its own, whose root folder has no programs. */
static void a_missing_program_is_a_failure(void **state)
{
    char why[QUEUED_WHY_SIZE] = "";
    struct seen seen = {0};
    int fds[2];
    pid_t pid;

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        bool failed = chroot(folder) == 0 && !queued_each("/", each, &seen, why);

        _exit(failed && write(fds[1], why, sizeof why) == sizeof why ? 0 : 1);
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], why, sizeof why), sizeof why);
    close(fds[0]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_string_equal(why, "there is no program postqueue in PATH or /usr/sbin");
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(each_message_is_listed_with_its_recipients),
        IN_FOLDER(it_is_given_the_folder_and_nothing_to_read),
        IN_FOLDER(it_gets_none_of_our_files_and_no_ignored_signal),
        IN_FOLDER(an_empty_queue_is_no_failure),
        IN_FOLDER(what_postfix_quotes_is_unquoted_once),
        IN_FOLDER(bytes_that_are_no_utf8_are_not_shown),
        IN_FOLDER(utf8_stays_as_it_is),
        IN_FOLDER(a_thousand_recipients_come_in_order),
        IN_FOLDER(a_line_that_is_not_understood_ends_it),
        IN_FOLDER(a_listing_cut_short_is_a_failure),
        IN_FOLDER(a_bad_end_spoils_a_good_listing),
        IN_FOLDER(the_last_line_of_its_errors_is_the_reason),
        IN_FOLDER(warnings_alone_are_no_failure),
        IN_FOLDER(after_its_last_line_it_may_take_its_time),
        IN_FOLDER(more_errors_than_a_pipe_holds_do_not_block_it),
        IN_FOLDER(after_a_bad_line_nobody_waits_for_more),
        IN_FOLDER(what_cannot_be_started_is_a_failure),
        IN_FOLDER(a_missing_program_is_a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
