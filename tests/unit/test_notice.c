/* test_notice - notices as Postfix writes them, mail that only looks like one, and broken ones */
#include "bounce/notice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define OWN "bouncemanager@postfix4.invalid"
#define RECEIVED \
    "Received: by mail.example (postfix4)\n\tid 2D2B; Wed, 25 Nov 2026 23:24:18 +0000\n"
#define TYPE \
    "Content-Type: multipart/report; report-type=delivery-status;\n\tboundary=\"4A.17/mail\"\n"
#define HEADER RECEIVED TYPE "\nThis is a MIME-encapsulated message.\n\n"
#define TEXT                                                                            \
    "--4A.17/mail\nContent-Type: text/plain\n\n<bob@x>: host said:\n    --4A.17/mail\n" \
    "Final-Recipient: rfc822; eve@x\n\n"
#define STATUS                                                                                    \
    "--4A.17/mail\nContent-Description: Delivery report\nContent-Type: message/delivery-status\n" \
    "\nReporting-MTA: dns; mail.example\nX-postfix4-Queue-ID: 4ABC\n"                             \
    "X-postfix4-Sender: rfc822; alice@y\n\n"
#define BOB                                                                              \
    "Final-Recipient: rfc822; bob@x\nOriginal-Recipient: rfc822;Bob@x\nAction: failed\n" \
    "Status: 5.1.1\nRemote-MTA: dns; x\nDiagnostic-Code: smtp; 550 5.1.1 no such\n    user\n\n"
#define CAROL                                                          \
    "final-recipient: rfc822;carol@x\nAction: failed\nStatus: 4.4.1\n" \
    "Diagnostic-Code: X-postfix4; connect to x: timed out\n\n"
#define HEADERS \
    "--4A.17/mail\nContent-Type: text/rfc822-headers\n\nFinal-Recipient: rfc822; eve@x\n"
#define END "\n--4A.17/mail--\n"

static struct notice *notice;

/* The text ends where its memory does, so that sanitizers see who reads on. */
static enum notice_kind read_text(const char *text, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);
    enum notice_kind kind;

    assert_non_null(copy);
    memcpy(copy, text, len);
    *notice = (struct notice){.queue_id = "untouched"};
    kind = notice_read(copy, len, "postfix4", OWN, notice);
    free(copy);
    return kind;
}

static void expect_kind(const char *text, enum notice_kind kind)
{
    assert_int_equal(read_text(text, strlen(text)), kind);
}

static int set_up(void **state)
{
    (void)state;
    notice = malloc(sizeof *notice);
    return notice == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    free(notice);
    return 0;
}

static void a_notice_tells_who_did_not_get_what(void **state)
{
    static const char *const starts[] = {"", "From double-bounce@y  Wed Nov 25 23:24:18 2026\n",
                                         "Return-Path: <x@y>\nX-Original-To: " OWN "\n"};
    char text[8192];

    (void)state;
    for (size_t i = 0; i < LENGTH(starts); i++) {
        snprintf(text, sizeof text, "%s%s", starts[i], HEADER TEXT STATUS BOB CAROL HEADERS END);
        expect_kind(text, NOTICE_BOUNCE);
        assert_string_equal(notice->queue_id, "4ABC");
        assert_string_equal(notice->sender, "alice@y");
        assert_string_equal(notice->recipients, "bob@x\ncarol@x");
        assert_string_equal(notice->reasons,
                            "5.1.1 550 5.1.1 no such user\n4.4.1 connect to x: timed out");
        assert_int_equal(notice->recipient_count, 2);
        assert_int_equal(notice->listed_count, 2);
    }
}

static void lines_may_end_in_cr_lf_and_addresses_be_utf_8(void **state)
{
    (void)state;
    expect_kind(RECEIVED "content-TYPE: MULTIPART/report; Boundary=b; x=y\r\n\r\n--b\r\n"
                         "Content-Type: message/global-delivery-status\r\n\r\n"
                         "X-postfix4-Queue-ID: 4\r\nX-postfix4-Sender: utf-8; j\xc3\xb6@y\r\n\r\n"
                         "Final-Recipient: utf-8; b\xc3\xb6@x\r\nAction: failed\r\nStatus: 5.0.0",
                NOTICE_BOUNCE);
    assert_string_equal(notice->sender, "j\xc3\xb6@y");
    assert_string_equal(notice->recipients, "b\xc3\xb6@x");
    assert_string_equal(notice->reasons, "5.0.0 ");
}

static void what_strangers_have_written_is_one_line(void **state)
{
    static const char text[] =
        HEADER STATUS "Final-Recipient: rfc822; \"$(id)`x`\"@x\x1b[2J\0\r\x7f%n\nAction: failed\n"
                      "Status: 5.1.1\nDiagnostic-Code: smtp; 550 \x07'\";|\n\t\0more\n" END;

    (void)state;
    assert_int_equal(read_text(text, sizeof text - 1), NOTICE_BOUNCE);
    assert_string_equal(notice->recipients, "\"$(id)`x`\"@x?[2J???%n");
    assert_string_equal(notice->reasons, "5.1.1 550 ?'\";| ?more");
}

static void mail_from_elsewhere_is_foreign(void **state)
{
    static const char *const headers[] = {
        "",
        "\n",
        TYPE "\n",
        "Received: from evil by mail.example (postfix4) id 2D2B; x\n" TYPE "\n",
        "Received: by mail.example (postfix4, from userid 1000)\n\tid 2D2B; x\n" TYPE "\n",
        "Received: by mail.example (postfix3)\n\tid 2D2B; x\n" TYPE "\n",
        "Received: by mail.example (postfix44)\n\tid 2D2B; x\n" TYPE "\n",
        "Received: by (postfix4) id 2D2B; x\n" TYPE "\n",
        "Received: by mail.example (postfix4) with ESMTP id 2D2B; x\n" TYPE "\n",
        RECEIVED RECEIVED TYPE "\n",
        RECEIVED TYPE "Received: from evil by mail.example\n\n",
        "Received: from evil\n" RECEIVED TYPE "\n",
        "\n" RECEIVED TYPE "\n",
        "From x\nFrom y\nreceived: from evil\n" RECEIVED "\n",
    };
    char text[4096];

    (void)state;
    for (size_t i = 0; i < LENGTH(headers); i++) {
        snprintf(text, sizeof text, "%s%s", headers[i], TEXT STATUS BOB END);
        expect_kind(text, NOTICE_FOREIGN);
        assert_string_equal(notice->queue_id, "untouched");
    }
}

static void other_notices_are_no_bounces(void **state)
{
    static const char *const texts[] = {
        RECEIVED "\nTranscript of session follows.\n",
        RECEIVED TYPE "\n",
        RECEIVED "Content-Type: multipart/report; report-type=delivery-status\n\n" STATUS BOB END,
        RECEIVED "Content-Type: multipart/mixed; boundary=\"4A.17/mail\"\n\n" STATUS BOB END,
        HEADER TEXT END,
        HEADER TEXT "--4A.17/mail--\n" STATUS BOB,
        HEADER "--4A.17/mail\nContent-Type: text/plain\n\n" BOB END,
        /* a bounce that could not be delivered had no sender to go back to */
        HEADER "--4A.17/mail\nContent-Type: message/delivery-status\n\n"
               "X-postfix4-Queue-ID: 4ABC\n\n" BOB END,
        HEADER STATUS "Final-Recipient: rfc822; bob@x\nAction: delayed\nStatus: 4.0.0\n" END,
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(texts); i++)
        expect_kind(texts[i], NOTICE_OTHER);
}

static void mail_that_was_returned_to_its_sender_by_ourselves_is_none(void **state)
{
    (void)state;
    expect_kind(HEADER STATUS "Final-Recipient: rfc822; BounceManager@postfix4.invalid\n"
                              "Action: failed\nStatus: 5.7.1\n" END,
                NOTICE_OTHER);
    expect_kind(HEADER STATUS "Final-Recipient: rfc822; bouncecommand@y\n"
                              "Original-Recipient: rfc822;" OWN "\nAction: failed\n"
                              "Status: 5.7.1\n\n" END,
                NOTICE_OTHER);
    expect_kind(HEADER STATUS "Final-Recipient: rfc822; " OWN "\nAction: failed\n\n" BOB END,
                NOTICE_BOUNCE);
    assert_string_equal(notice->recipients, "bob@x");
    assert_int_equal(notice->recipient_count, 1);
    expect_kind(HEADER STATUS "Final-Recipient: rfc822; bob@x\n" /* a client may claim the other */
                              "Original-Recipient: rfc822;" OWN "\nAction: failed\n\n" END,
                NOTICE_BOUNCE);
}

static void a_bounce_whose_recipients_postfix_has_lost_is_one(void **state)
{
    (void)state;
    expect_kind(HEADER STATUS END, NOTICE_BOUNCE);
    assert_string_equal(notice->recipients, "");
    assert_int_equal(notice->recipient_count, 0);
}

static void of_very_many_recipients_whole_lines_are_kept(void **state)
{
    enum { MANY = 3000 };
    size_t size = sizeof(HEADER STATUS) + MANY * 128;
    char *text = malloc(size);
    size_t len, lines = 1;

    (void)state;
    assert_non_null(text);
    len = (size_t)snprintf(text, size, "%s", HEADER STATUS);
    for (int i = 0; i < MANY; i++)
        len += (size_t)snprintf(text + len, size - len,
                                "Final-Recipient: rfc822; somebody%d@x\nAction: failed\n"
                                "Status: 5.1.1\nDiagnostic-Code: smtp; 550 no\n\n",
                                i);
    assert_int_equal(read_text(text, len), NOTICE_BOUNCE);
    free(text);
    assert_int_equal(notice->recipient_count, MANY);
    assert_in_range(notice->listed_count, 1000, MANY - 1);
    for (const char *p = notice->recipients; *p != '\0'; p++)
        lines += *p == '\n';
    assert_int_equal(lines, notice->listed_count);
    lines = 1;
    for (const char *p = notice->reasons; *p != '\0'; p++)
        lines += *p == '\n';
    assert_int_equal(lines, notice->listed_count);
    assert_string_equal(notice->recipients + strlen(notice->recipients) - 2, "@x");
}

static void very_long_fields_are_cut(void **state)
{
    enum { LONG = 100000 };
    static const char start[] = HEADER STATUS "Action: failed\nFinal-Recipient: rfc822; ";
    char *text = malloc(sizeof start + 2 * LONG);

    (void)state;
    assert_non_null(text);
    memcpy(text, start, sizeof start);
    memset(text + strlen(start), 'a', LONG);
    assert_int_equal(read_text(text, strlen(start) + LONG), NOTICE_BOUNCE);
    assert_int_equal(strlen(notice->recipients), NOTICE_SENDER_SIZE - 1);
    memset(text + strlen(start), '\n', 1);
    memset(text + strlen(start) + 1, ' ', LONG);
    assert_int_equal(read_text(text, strlen(start) + LONG), NOTICE_BOUNCE);
    free(text);
}

static void every_beginning_of_a_notice_is_read_without_harm(void **state)
{
    static const char text[] = "From x\n" HEADER TEXT STATUS BOB CAROL HEADERS END;

    (void)state;
    for (size_t len = 0; len < sizeof text; len++)
        (void)read_text(text, len);
}

static void the_message_begins_behind_the_from_line(void **state)
{
    (void)state;
    assert_int_equal(notice_start("From a b\nX: y\n", 14), 9);
    assert_int_equal(notice_start("From: a\n", 8), 0);
    assert_int_equal(notice_start("From ", 5), 0);
    assert_int_equal(notice_start("Fro", 3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_notice_tells_who_did_not_get_what),
        cmocka_unit_test(lines_may_end_in_cr_lf_and_addresses_be_utf_8),
        cmocka_unit_test(what_strangers_have_written_is_one_line),
        cmocka_unit_test(mail_from_elsewhere_is_foreign),
        cmocka_unit_test(other_notices_are_no_bounces),
        cmocka_unit_test(mail_that_was_returned_to_its_sender_by_ourselves_is_none),
        cmocka_unit_test(a_bounce_whose_recipients_postfix_has_lost_is_one),
        cmocka_unit_test(of_very_many_recipients_whole_lines_are_kept),
        cmocka_unit_test(very_long_fields_are_cut),
        cmocka_unit_test(every_beginning_of_a_notice_is_read_without_harm),
        cmocka_unit_test(the_message_begins_behind_the_from_line),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
