/* test_gen_lmtp - the dialogue in which the doctor takes its probes, and what it makes of them */
#include "doctor/lmtp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/probe_message.h"
#include "tests/unit/unit.h"

static char told[4096]; /* CLIENT RECIPIENT LEN MESSAGE of each delivery */

static bool wants(void *arg, const char *recipient)
{
    (void)arg;
    return strcmp(recipient, "p@x") == 0;
}

static void deliver(void *arg, const char *client, const char *recipient, const char *message,
                    size_t len)
{
    size_t used = strlen(told);

    (void)arg;
    snprintf(told + used, sizeof told - used, "%s %s %zu %.*s|", client, recipient, len, (int)len,
             message);
}

static const struct lmtp_owner owner = {.wants = wants, .deliver = deliver};

/* The codes of the replies, without those of an LHLO's first lines. */
static void expect_codes(struct lmtp *lmtp, const char *expected)
{
    char codes[256] = "";
    char *line, *rest = lmtp->replies;

    lmtp->replies[lmtp->replies_len] = '\0';
    while ((line = strtok_r(rest, "\n", &rest)) != NULL)
        if (line[3] == ' ')
            snprintf(codes + strlen(codes), sizeof codes - strlen(codes), "%.3s ", line);
    lmtp->replies_len = 0;
    assert_string_equal(codes, expected);
}

static void take(struct lmtp *lmtp, const char *text)
{
    lmtp_take(lmtp, text, strlen(text));
}

static int begin(void **state)
{
    static struct lmtp lmtp;

    told[0] = '\0';
    lmtp_init(&lmtp, &owner);
    expect_codes(&lmtp, "220 ");
    *state = &lmtp;
    return 0;
}

static int end(void **state)
{
    lmtp_deinit(*state);
    return 0;
}

static void a_message_is_delivered_once_it_is_whole(void **state)
{
    struct lmtp *lmtp = *state;

    take(lmtp, "LHLO postfix3\r\nMAIL FROM:<>\r\nRCPT TO:<p@x>\r\nDATA\r\n");
    expect_codes(lmtp, "250 250 250 354 ");
    take(lmtp, "A: b\r\n\r\n..c\r\n.\r");
    expect_codes(lmtp, "");
    assert_string_equal(told, "");
    take(lmtp, "\nQUIT\r\n");
    expect_codes(lmtp, "250 221 ");
    assert_string_equal(told, "postfix3 p@x 12 A: b\r\n\r\n.c\r\n|");
    assert_true(lmtp->over);
}

static void bytes_may_come_one_by_one(void **state)
{
    static const char text[] =
        "lhlo b\r\nmail from:<> SIZE=1\r\nrcpt to:<p@x> NOTIFY=NEVER\r\ndata\r\nx\r\n.\r\n";
    struct lmtp *lmtp = *state;

    for (size_t n = 0; n < strlen(text); n++)
        lmtp_take(lmtp, text + n, 1);
    expect_codes(lmtp, "250 250 250 354 250 ");
    assert_string_equal(told, "b p@x 3 x\r\n|");
}

static void several_messages_pass_one_session(void **state)
{
    struct lmtp *lmtp = *state;

    take(lmtp, "LHLO b\r\n");
    for (int n = 0; n < 2; n++)
        take(lmtp, "MAIL FROM:<>\r\nRCPT TO:<p@x>\r\nDATA\r\nx\n.\nRSET\r\nNOOP\r\n");
    expect_codes(lmtp, "250 250 250 354 250 250 250 250 250 354 250 250 250 ");
    assert_string_equal(told, "b p@x 2 x\n|b p@x 2 x\n|");
}

static void what_is_not_wanted_is_refused(void **state)
{
    static const struct {
        const char *text, *codes;
    } cases[] = {
        {"RCPT TO:<other@x>\r\n", "550 "},
        {"DATA\r\n", "503 "},
        {"RCPT TO:p@x\r\n", "501 "},
        {"RCPT TO:<p@x>\r\nRCPT TO:<p@x>\r\n", "250 452 "},
        {"\r\n", "503 "},
        {"EHLO a\r\n", "503 "},
        {"MAIL FROM:<>\r\nDATA\r\n", "250 503 "},
    };
    struct lmtp *lmtp = *state;

    for (size_t n = 0; n < LENGTH(cases); n++) {
        take(lmtp, cases[n].text);
        expect_codes(lmtp, cases[n].codes);
    }
    assert_string_equal(told, "");
}

static void lines_of_any_length_do_no_harm(void **state)
{
    enum { LONG = 3 * LMTP_LINE_SIZE };
    struct lmtp *lmtp = *state;
    char *line = malloc(LONG + 3);

    memset(line, '.',
           LONG); /* a piece of it must not be taken for the end, or for a dot too many */
    strcpy(line + LONG, "\r\n");
    take(lmtp, line);
    expect_codes(lmtp, "500 ");
    take(lmtp, "RCPT TO:<p@x>\r\nDATA\r\n.");
    take(lmtp, line);
    take(lmtp, ".\r\n");
    expect_codes(lmtp, "250 354 250 ");
    assert_int_equal(strtol(told + strlen(" p@x "), NULL, 10), LONG + 2);
    free(line);
}

static void a_message_that_is_too_large_is_refused(void **state)
{
    struct lmtp *lmtp = *state;

    take(lmtp, "RCPT TO:<p@x>\r\nDATA\r\n");
    for (int n = 0; n < LMTP_MESSAGE_MAX / 8 + 1; n++)
        take(lmtp, "123456\r\n");
    take(lmtp, ".\r\nNOOP\r\n");
    expect_codes(lmtp, "250 354 552 250 ");
    assert_string_equal(told, "");
}

static void a_client_that_reads_no_replies_is_given_up(void **state)
{
    struct lmtp *lmtp = *state;

    for (int n = 0; n < 1000; n++)
        take(lmtp, "NOOP\r\n");
    assert_true(lmtp->over);
    assert_true(lmtp->replies_len <= sizeof lmtp->replies);
}

static void expect_whole(const char *arrived, const char *why)
{
    static const char sent[] = "A: 1\r\nB: 2\r\n 3\r\n\r\nbody\r\n";
    char found[PROBE_MESSAGE_WHY_SIZE] = "";
    bool whole = probe_message_is_whole(sent, arrived, strlen(arrived), found);

    assert_int_equal(whole, why == NULL);
    if (why != NULL)
        assert_string_equal(found, why);
}

static void what_arrives_is_compared_with_what_was_sent(void **state)
{
    (void)state;
    expect_whole("A: 1\r\nB: 2\r\n 3\r\n\r\nbody\r\n", NULL);
    expect_whole("Received: x\r\n y\r\nA: 1\r\nC: 4\r\nB: 2\r\n 3\r\nD: 5\r\n\r\nbody\r\n", NULL);
    expect_whole("A: 1\r\nB: 2 3\r\n\r\nbody\r\n", "a line of its header is changed or gone: B: 2");
    expect_whole("B: 2\r\n 3\r\nA: 1\r\n\r\nbody\r\n",
                 "a line of its header is changed or gone: B: 2");
    expect_whole("A: 1\r\nB: 2\r\n 3\r\n\r\nbody\r\n\r\n", "its body is changed");
    expect_whole("A: 1\r\nB: 2\r\n 3\r\n\r\nbod", "its body is changed");
    expect_whole("A: 1\r\nB: 2\r\n 3\r\n", "its body is changed");
    expect_whole("", "a line of its header is changed or gone: A: 1");
    expect_whole("A: 1\r\nx-peg-route: 1\r\nB: 2\r\n 3\r\n\r\nbody\r\n",
                 "the header X-Peg-Route is still in it");
    expect_whole("A: 1\r\nB: 2\r\n 3\r\n\r\nX-Peg-Route: 1\r\n", "its body is changed");
}

static void a_probe_is_a_message_of_rfc_5322(void **state)
{
    char *text = probe_message_new("p@x", 7, 1764076201);
    char why[PROBE_MESSAGE_WHY_SIZE];

    (void)state;
    assert_non_null(strstr(text, "\r\nTo: <p@x>\r\nSubject: probe\r\n of priority\r\n\t7\r\n"
                                 "Date: Tue, 25 Nov 2025 13:10:01 +0000\r\n"));
    assert_non_null(strstr(text, "\r\nMessage-ID: <p@x>\r\n"));
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        assert_int_equal(at[-1], '\r');
    assert_true(probe_message_is_whole(text, text, strlen(text), why));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_is_delivered_once_it_is_whole, begin, end),
        cmocka_unit_test_setup_teardown(bytes_may_come_one_by_one, begin, end),
        cmocka_unit_test_setup_teardown(several_messages_pass_one_session, begin, end),
        cmocka_unit_test_setup_teardown(what_is_not_wanted_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(lines_of_any_length_do_no_harm, begin, end),
        cmocka_unit_test_setup_teardown(a_message_that_is_too_large_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_client_that_reads_no_replies_is_given_up, begin, end),
        cmocka_unit_test(what_arrives_is_compared_with_what_was_sent),
        cmocka_unit_test(a_probe_is_a_message_of_rfc_5322),
    };

    return cmocka_run_group_tests_name("lmtp", tests, NULL, NULL);
}
