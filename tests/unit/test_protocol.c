/* test_protocol - the lines of tcp_table(5), by table and byte by byte */
#include "tcpmap/protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static void a_well_formed_request_gives_its_verb_and_decoded_key(void **state)
{
    static const struct {
        const char *line;
        enum protocol_verb verb;
        const char *key;
    } cases[] = {
        {"get bob@dest.example", PROTOCOL_GET, "bob@dest.example"},
        {"get *", PROTOCOL_GET, "*"},
        {"get x", PROTOCOL_GET, "x"},
        {"get Bob@DEST.Example", PROTOCOL_GET, "Bob@DEST.Example"},
        {"get \"quo%20ted\"@dest.example", PROTOCOL_GET, "\"quo ted\"@dest.example"},
        {"get carl+x@dest.example", PROTOCOL_GET, "carl+x@dest.example"},
        {"get 100%25@dest.example", PROTOCOL_GET, "100%@dest.example"},
        {"get %25%32%35", PROTOCOL_GET, "%25"},
        {"get %61%4a%4A%fF", PROTOCOL_GET, "aJJ\xff"},
        {"get a%0Ab", PROTOCOL_GET, "a\nb"},
        {"get get%20x", PROTOCOL_GET, "get x"},
        {"put bob@dest.example peg4:[127.0.0.1]:20004", PROTOCOL_PUT, "bob@dest.example"},
        {"put a%20b c%20d", PROTOCOL_PUT, "a b"},
    };

    (void)state;
    for (size_t i = 0; i < LEN(cases); i++) {
        struct protocol_request request;
        const char *why = NULL;

        if (!protocol_request_parse(cases[i].line, strlen(cases[i].line), &request, &why))
            fail_msg("%s: %s", cases[i].line, why);
        assert_null(why);
        assert_int_equal(request.verb, cases[i].verb);
        assert_int_equal(request.key_len, strlen(cases[i].key));
        assert_memory_equal(request.key, cases[i].key, request.key_len);
    }
}

static void a_malformed_request_is_refused_and_changes_nothing(void **state)
{
    static const struct {
        const char *line;
        size_t len;
        const char *why;
    } cases[] = {
#define CASE(line, why) {line, sizeof(line) - 1, why}
        CASE("", "unknown request"),
        CASE("get", "unknown request"),
        CASE("GET a@b", "unknown request"),
        CASE("get\ta@b", "unknown request"),
        CASE(" get a@b", "unknown request"),
        CASE("gets a@b", "unknown request"),
        CASE("delete a@b", "unknown request"),
        CASE("get ", "empty parameter"),
        CASE("get  a@b", "a character that must be encoded"),
        CASE("get a@b ", "a character that must be encoded"),
        CASE("get a b", "a character that must be encoded"),
        CASE("get a@b\r", "a character that must be encoded"),
        CASE("get a\tb", "a character that must be encoded"),
        CASE("get a\0b", "a character that must be encoded"),
        CASE("get a\x7f", "a character that must be encoded"),
        CASE("get \xc3\xa9@b", "a character that must be encoded"),
        CASE("get %", "% without two hex digits"),
        CASE("get a%2", "% without two hex digits"),
        CASE("get a%2g", "% without two hex digits"),
        CASE("get a%g2", "% without two hex digits"),
        CASE("get a%%20", "% without two hex digits"),
        CASE("get a%-1", "% without two hex digits"),
        CASE("get a%00", "%00 in a parameter"),
        CASE("get %00", "%00 in a parameter"),
        CASE("put ", "put without value"),
        CASE("put a", "put without value"),
        CASE("put a ", "empty parameter"),
        CASE("put  b", "empty parameter"),
        CASE("put a b c", "a character that must be encoded"),
        CASE("put a%0 b", "% without two hex digits"),
        CASE("put a b%00", "%00 in a parameter"),
#undef CASE
    };

    (void)state;
    for (size_t i = 0; i < LEN(cases); i++) {
        struct protocol_request request;
        struct protocol_request before;
        const char *why = NULL;
        char line[64];

        memset(line, '1', sizeof line); /* what follows the line could end a %XX */
        memcpy(line, cases[i].line, cases[i].len);
        memset(&before, 0x5a, sizeof before);
        memcpy(&request, &before, sizeof request);
        if (protocol_request_parse(line, cases[i].len, &request, &why))
            fail_msg("taken: %s", cases[i].line);
        assert_string_equal(why, cases[i].why);
        assert_memory_equal(&request, &before, sizeof request);
    }
}

static void a_line_may_have_4096_bytes_with_its_newline_and_no_more(void **state)
{
    char line[PROTOCOL_LINE_MAX];
    struct protocol_request request;
    const char *why = NULL;

    (void)state;
    memset(line, 'k', sizeof line);
    memcpy(line, "get ", 4);
    assert_true(protocol_request_parse(line, PROTOCOL_LINE_MAX - 1, &request, &why));
    assert_int_equal(request.key_len, PROTOCOL_LINE_MAX - 5);
    assert_false(protocol_request_parse(line, PROTOCOL_LINE_MAX, &request, &why));
    assert_string_equal(why, "line too long");
}

static void a_reply_is_encoded_as_hex_quote_does(void **state)
{
    static const struct {
        enum protocol_code code;
        const char *text;
        const char *reply;
    } cases[] = {
        {PROTOCOL_FOUND, "peg4:[127.0.0.1]:20004", "200 peg4:[127.0.0.1]:20004\n"},
        {PROTOCOL_ABSENT, "not found", "500 not%20found\n"},
        {PROTOCOL_RETRY, "line too long", "400 line%20too%20long\n"},
        {PROTOCOL_FOUND, "", "200 \n"},
        {PROTOCOL_FOUND, "100%", "200 100%25\n"},
        {PROTOCOL_FOUND, "a\r\n\tb\x7f", "200 a%0D%0A%09b%7F\n"},
        {PROTOCOL_FOUND, "\xc3\xa9\xff", "200 %C3%A9%FF\n"},
    };

    (void)state;
    for (size_t i = 0; i < LEN(cases); i++) {
        char reply[PROTOCOL_LINE_MAX];
        size_t len =
            protocol_reply_format(cases[i].code, cases[i].text, strlen(cases[i].text), reply);

        assert_int_equal(len, strlen(cases[i].reply));
        assert_memory_equal(reply, cases[i].reply, len);
    }
}

static void a_reply_never_exceeds_4096_bytes(void **state)
{
    char text[PROTOCOL_LINE_MAX];
    char reply[PROTOCOL_LINE_MAX];
    char before[PROTOCOL_LINE_MAX];
    const size_t most = PROTOCOL_LINE_MAX - 5; /* "200 " and newline */

    (void)state;
    memset(before, 0x5a, sizeof before);
    memcpy(reply, before, sizeof reply);
    memset(text, 'x', sizeof text);
    assert_int_equal(protocol_reply_format(PROTOCOL_FOUND, text, most + 1, reply), 0);
    assert_memory_equal(reply, before, sizeof reply);
    assert_int_equal(protocol_reply_format(PROTOCOL_FOUND, text, most, reply), PROTOCOL_LINE_MAX);
    assert_int_equal(reply[PROTOCOL_LINE_MAX - 1], '\n');

    memset(text, '%', sizeof text); /* 3 bytes each */
    assert_int_equal(protocol_reply_format(PROTOCOL_FOUND, text, most / 3, reply),
                     most / 3 * 3 + 5);
    assert_int_equal(protocol_reply_format(PROTOCOL_FOUND, text, most / 3 + 1, reply), 0);
    assert_int_equal(protocol_reply_format(PROTOCOL_FOUND, text, sizeof text, reply), 0);
}

static void every_byte_but_nul_survives_encoding_and_decoding(void **state)
{
    (void)state;
    for (int byte = 1; byte < 256; byte++) {
        const char text[3] = {'a', (char)byte, 'z'};
        char line[PROTOCOL_LINE_MAX];
        struct protocol_request request;
        const char *why = NULL;
        size_t len = protocol_reply_format(PROTOCOL_FOUND, text, sizeof text, line);

        assert_true(len > 5);
        for (size_t i = 4; i < len - 1; i++)
            assert_true(line[i] > ' ' && line[i] < 0x7f);
        memcpy(line, "get ", 4);
        assert_true(protocol_request_parse(line, len - 1, &request, &why));
        assert_int_equal(request.key_len, sizeof text);
        assert_memory_equal(request.key, text, sizeof text);
    }
}

static void every_byte_is_decoded_from_hex_in_any_case(void **state)
{
    (void)state;
    for (int byte = 1; byte < 256; byte++) {
        for (int upper = 0; upper < 2; upper++) {
            char line[16];
            struct protocol_request request;
            const char *why = NULL;

            snprintf(line, sizeof line, upper ? "get %%%02X" : "get %%%02x", (unsigned)byte);
            assert_true(protocol_request_parse(line, strlen(line), &request, &why));
            assert_int_equal(request.key_len, 1);
            assert_int_equal((uint8_t)request.key[0], byte);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_well_formed_request_gives_its_verb_and_decoded_key),
        cmocka_unit_test(a_malformed_request_is_refused_and_changes_nothing),
        cmocka_unit_test(a_line_may_have_4096_bytes_with_its_newline_and_no_more),
        cmocka_unit_test(a_reply_is_encoded_as_hex_quote_does),
        cmocka_unit_test(a_reply_never_exceeds_4096_bytes),
        cmocka_unit_test(every_byte_but_nul_survives_encoding_and_decoding),
        cmocka_unit_test(every_byte_is_decoded_from_hex_in_any_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
