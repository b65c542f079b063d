/* test_watch_view - surveys as lines of a terminal */
#include "showqueues/watch_view.h"

#include <stdlib.h>
#include <string.h>

#include "showqueues/watch_row.h"
#include "tests/unit/unit.h"

#define NOW_MS INT64_C(1795660200123) /* 2026-11-26T02:30:00.123Z */

static const struct watch_style none = {"", "", "", "", "", ""};
static const struct watch_style letters = {"<n>", "<b>", "<red>", "<g>", "<y>", "<c>"};

enum { ROUTINE = 1, HELD = 2, DOWN = 3, LOST = 4, FLASH = 5 };

static struct survey survey;
static struct survey before;

/* A bad night: bulk mail waits by the hundred thousand, an instance is down, flash mail moves. */
static int set_up(void **state)
{
    (void)state;
    survey = (struct survey){.taken_ms = NOW_MS,
                             .instance_count = 6,
                             .milter = {.state = SURVEY_UP},
                             .tcpmap = {.state = SURVEY_UP}};
    for (int i = 0; i < 6; i++)
        survey.instances[i] = (struct survey_instance){
            .instance = i - 1,
            .is_known = true,
            .state = SURVEY_UP,
            .flow = {
                .is_known = true, .since_ms = 1, .received_messages = 100, .left_messages = 50}};
    before = survey;
    before.taken_ms = NOW_MS - 2000;

    struct survey_instance *routine = &survey.instances[ROUTINE];
    struct survey_instance *flash = &survey.instances[FLASH];

    routine->queues[QUEUE_INCOMING].messages = 812;
    routine->queues[QUEUE_ACTIVE].messages = 20000;
    routine->queues[QUEUE_DEFERRED].messages = 104312;
    routine->queues[QUEUE_DEFERRED].oldest_ms = NOW_MS - 18420000;
    routine->queues[QUEUE_ACTIVE].oldest_ms = NOW_MS - 60000;
    routine->flow.received_messages += 451;
    routine->flow.left_messages += 1;
    survey.instances[HELD].queues[QUEUE_HOLD].messages = 40;
    survey.instances[HELD].queues[QUEUE_HOLD].oldest_ms = NOW_MS - 86400000;
    survey.instances[DOWN].state = SURVEY_DOWN;
    survey.instances[DOWN].queues[QUEUE_DEFERRED].messages = 7;
    survey.instances[LOST] = (struct survey_instance){
        .instance = 3,
        .why = "/var/spool/postfix3/hold: No such file or directory, make the "
               "instance with 'peg-gen apply'"};
    flash->queues[QUEUE_ACTIVE].messages = 3;
    flash->queues[QUEUE_ACTIVE].oldest_ms = NOW_MS - 2000;
    flash->flow.received_messages += 5;
    flash->flow.left_messages += 3;
    return 0;
}

static char *view(const struct watch_look *look, const struct survey *earlier)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    watch_view_print(&survey, earlier, look, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void expect(const struct watch_look *look, const char *expected)
{
    char *text = view(look, &before);

    assert_string_equal(text, expected);
    free(text);
}

static void eighty_columns_hold_all_queues_and_a_bar(void **state)
{
    const struct watch_look look = {
        .width = 80, .height = 24, .style = none, .note = "every 2 s, q quits"};

    (void)state;
    expect(&look,
           "2026-11-26T02:30:00Z  every 2 s, q quits\n"
           "                     1M incoming  active deferred    hold oldest    in/s   out/s\n"
           "frontend                       0       0        0       0      -       0       0\n"
           "postfix4  ###                  0       3        0       0     2s     2.5     1.5\n"
           "postfix3  /var/spool/postfix3/hold: No such file or directory, make the instance\n"
           "postfix2  ===                  0       0        7       0      -            down\n"
           "postfix1  -----                0       0        0      40      -       0       0\n"
           "postfix0  ##=========        812   20000   104312       0  5h07m     226     0.5\n"
           "\n"
           "peg-milter up  peg-tcpmap up\n"
           "# incoming, active  = deferred  - hold  bars are logarithmic\n");
}

static void forty_columns_hold_what_matters_most(void **state)
{
    const struct watch_look look = {.width = 40, .height = 10, .style = none, .note = ""};

    (void)state;
    expect(&look, "2026-11-26T02:30:00Z\n"
                  "            total oldest    in/s   out/s\n"
                  "frontend        0      -       0       0\n"
                  "postfix4        3     2s     2.5     1.5\n"
                  "postfix3  /var/spool/postfix3/hold: No s\n"
                  "postfix2        7      -            down\n"
                  "postfix1       40      -       0       0\n"
                  "postfix0   125124  5h07m     226     0.5\n"
                  "\n"
                  "peg-milter up  peg-tcpmap up\n");
}

static void wide_terminals_have_long_bars_with_a_scale(void **state)
{
    const struct watch_look look = {
        .width = 102, .height = 24, .is_utf8 = true, .style = none, .note = ""};

    (void)state;
    expect(&look,
           "2026-11-26T02:30:00Z\n"
           "              1   10  100   1k  10k 100k   1M incoming  active deferred    hold oldest"
           "    in/s   out/s\n"
           "frontend                                             0       0        0       0      -"
           "       0       0\n"
           "postfix4  ███████                                    0       3        0       0     2s"
           "     2.5     1.5\n"
           "postfix3  /var/spool/postfix3/hold: No such file or directory, make the instance with"
           " 'peg-gen apply'\n"
           "postfix2  ▒▒▒▒▒▒▒▒▒                                  0       0        7       0      -"
           "            down\n"
           "postfix1  ░░░░░░░░░░░░░                              0       0        0      40      -"
           "       0       0\n"
           "postfix0  █████▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒           812   20000   104312       0  5h07m"
           "     226     0.5\n"
           "\n"
           "peg-milter up  peg-tcpmap up\n"
           "█ incoming, active  ▒ deferred  ░ hold  bars are logarithmic\n");
}

static void colours_mark_bars_and_what_is_wrong(void **state)
{
    const struct watch_look look = {.width = 60, .height = 24, .style = letters, .note = ""};

    (void)state;
    survey.tcpmap.state = SURVEY_DOWN;
    survey.milter.state = SURVEY_UNKNOWN;
    expect(&look,
           "2026-11-26T02:30:00Z\n"
           "<b>                  1M deferred   total oldest    in/s   out/s<n>\n"
           "frontend                    0       0      -       0       0\n"
           "postfix4  <g>##<n>                0       3     2s     2.5     1.5\n"
           "postfix3  <red>/var/spool/postfix3/hold: No such file or director<n>\n"
           "<red>postfix2  <y>===<n>       <red>        7       7      -            down<n>\n"
           "postfix1  <c>----<n>              0      40      -       0       0\n"
           "postfix0  <g>#<n><y>========<n>    104312  125124  5h07m     226     0.5\n"
           "\n"
           "<n>peg-milter unknown<n><red>  peg-tcpmap down<n>\n"
           "<g>#<n> incoming, active  <y>=<n> deferred  <c>-<n> hold  bars are logarithmic\n");
}

static void without_a_terminal_there_are_neither_bars_nor_limits(void **state)
{
    const struct watch_look look = {.style = none, .note = ""};

    (void)state;
    expect(&look, "2026-11-26T02:30:00Z\n"
                  "          incoming  active deferred    hold oldest    in/s   out/s\n"
                  "frontend         0       0        0       0      -       0       0\n"
                  "postfix4         0       3        0       0     2s     2.5     1.5\n"
                  "postfix3  /var/spool/postfix3/hold: No such file or directory, make the "
                  "instance with 'peg-gen apply'\n"
                  "postfix2         0       0        7       0      -            down\n"
                  "postfix1         0       0        0      40      -       0       0\n"
                  "postfix0       812   20000   104312       0  5h07m     226     0.5\n"
                  "peg-milter up  peg-tcpmap up\n");
}

static void a_short_terminal_shows_the_most_urgent(void **state)
{
    struct watch_look look = {.width = 40, .height = 5, .style = none, .note = ""};

    (void)state;
    expect(&look, "2026-11-26T02:30:00Z\n"
                  "            total oldest    in/s   out/s\n"
                  "frontend        0      -       0       0\n"
                  "postfix4        3     2s     2.5     1.5\n"
                  "(4 more)\n");
    look.height = 2;
    expect(&look, "2026-11-26T02:30:00Z\n(6 more)\n");
}

static void the_urgent_frontend_is_above_the_other(void **state)
{
    struct watch_look look = {.width = 40, .height = 10, .style = none, .note = ""};

    (void)state;
    memmove(survey.instances + 1, survey.instances, 6 * sizeof *survey.instances);
    survey.instances[0] = (struct survey_instance){
        .instance = PEG_URGENT,
        .is_known = true,
        .state = SURVEY_UP,
        .queues = {[QUEUE_ACTIVE] = {.messages = 2, .oldest_ms = NOW_MS - 1000}}};
    survey.instance_count = 7;
    expect(&look, "2026-11-26T02:30:00Z\n"
                  "            total oldest    in/s   out/s\n"
                  "urgent          2     1s       -       -\n"
                  "frontend        0      -       0       0\n"
                  "postfix4        3     2s     2.5     1.5\n"
                  "postfix3  /var/spool/postfix3/hold: No s\n"
                  "postfix2        7      -            down\n"
                  "postfix1       40      -       0       0\n"
                  "postfix0   125124  5h07m     226     0.5\n"
                  "peg-milter up  peg-tcpmap up\n");
    survey.instance_count = 1; /* of --instance=urgent */
    look.height = 3;
    expect(&look, "2026-11-26T02:30:00Z\n"
                  "            total oldest    in/s   out/s\n"
                  "urgent          2     1s       -       -\n");
}

/* Terminal columns of a line of UTF-8. */
static int columns_of(const char *line, size_t len)
{
    int columns = 0;

    for (size_t i = 0; i < len; i++)
        columns += ((unsigned char)line[i] & 0xc0) != 0x80;
    return columns;
}

static void no_size_is_exceeded(void **state)
{
    (void)state;
    for (int width = 1; width <= 220; width++)
        for (int height = 1; height <= 14; height++) {
            const struct watch_look look = {.width = width,
                                            .height = height,
                                            .is_utf8 = width % 2,
                                            .style = none,
                                            .note = "a note that is somewhat longer than others"};
            char *text = view(&look, &before);
            int lines = 0;

            for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
                assert_in_range(columns_of(line, (size_t)(end - line)), 0, width);
                lines++;
            }
            assert_in_range(lines, 1, height);
            free(text);
        }
}

/* The rates of flash mail, and whatever else is in the 40 columns. */
static void expect_flash(const struct survey *earlier, const char *line)
{
    const struct watch_look look = {.width = 40, .height = 24, .style = none, .note = ""};
    char *text = view(&look, earlier);
    const char *found = strstr(text, "postfix4");

    assert_non_null(found);
    assert_memory_equal(found, line, strlen(line));
    free(text);
}

static void rates_are_unknown_where_two_surveys_do_not_tell_them(void **state)
{
    struct survey_flow *flow = &survey.instances[FLASH].flow;

    (void)state;
    expect_flash(NULL, "postfix4        3     2s       -       -\n");
    before.taken_ms = NOW_MS + 1000; /* the clock was set back */
    expect_flash(&before, "postfix4        3     2s       -       -\n");
    before.taken_ms = NOW_MS - 500;
    expect_flash(&before, "postfix4        3     2s      10     6.0\n");
    flow->since_ms = 2; /* peg-monitor was restarted */
    expect_flash(&before, "postfix4        3     2s       -       -\n");
    before.instances[FLASH].flow.since_ms = 2;
    flow->received_messages = 1;
    expect_flash(&before, "postfix4        3     2s       -     6.0\n");
    flow->is_known = false;
    expect_flash(&before, "postfix4        3     2s       -       -\n");
    before.instance_count = FLASH; /* it was not there */
    flow->is_known = true;
    expect_flash(&before, "postfix4        3     2s       -       -\n");
}

static void an_empty_survey_is_shown(void **state)
{
    const struct watch_look look = {.width = 80, .height = 24, .style = none, .note = "why"};

    (void)state;
    survey = (struct survey){.taken_ms = NOW_MS};
    expect(&look,
           "2026-11-26T02:30:00Z  why\n"
           "                     1M incoming  active deferred    hold oldest    in/s   out/s\n"
           "\n"
           "peg-milter unknown  peg-tcpmap unknown\n"
           "# incoming, active  = deferred  - hold  bars are logarithmic\n");
}

static void counts_ages_and_rates_are_short(void **state)
{
    char text[WATCH_TEXT_SIZE];
    static const struct {
        int64_t age_ms;
        const char *text;
    } ages[] = {{-5000, "0s"},        {999, "0s"},
                {59999, "59s"},       {60000, "1m00s"},
                {3599999, "59m59s"},  {3600000, "1h00m"},
                {86399999, "23h59m"}, {INT64_C(100) * 86400000 + 7200000, "100d02h"}};
    static const struct {
        double rate;
        const char *text;
    } rates[] = {{0, "0"},      {0.04, "0.0"}, {0.5, "0.5"},
                 {9.94, "9.9"}, {9.96, "10"},  {1234.4, "1234"}};

    (void)state;
    for (size_t i = 0; i < LENGTH(ages); i++) {
        watch_row_age(ages[i].age_ms, text);
        assert_string_equal(text, ages[i].text);
    }
    for (size_t i = 0; i < LENGTH(rates); i++) {
        watch_row_rate(rates[i].rate, text);
        assert_string_equal(text, rates[i].text);
    }
    watch_row_count(9999999, text);
    assert_string_equal(text, "9999999");
    watch_row_count(10000000, text);
    assert_string_equal(text, "10000k");
}

static void a_bar_grows_by_decades(void **state)
{
    (void)state;
    assert_int_equal(watch_row_bar_len(0, 70), 0);
    for (int64_t decade = 1, messages = 1; decade <= 7; decade++, messages *= 10)
        assert_int_equal(watch_row_bar_len((uint64_t)messages, 70), decade * 10);
    assert_int_equal(watch_row_bar_len(UINT64_MAX, 70), 70);
    assert_int_equal(watch_row_bar_len(1, 3), 1);
}

static void every_queue_with_messages_is_seen_in_the_bar(void **state)
{
    const struct watch_look look = {.style = none};
    struct survey_queue queues[QUEUE_COUNT] = {[QUEUE_ACTIVE] = {.messages = 1},
                                               [QUEUE_DEFERRED] = {.messages = 99990},
                                               [QUEUE_HOLD] = {.messages = 1}};
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    assert_non_null(out);
    watch_row_bar(queues, 14, &look, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, "#==========-  ");
    free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(eighty_columns_hold_all_queues_and_a_bar),
        TEST(forty_columns_hold_what_matters_most),
        TEST(wide_terminals_have_long_bars_with_a_scale),
        TEST(colours_mark_bars_and_what_is_wrong),
        TEST(without_a_terminal_there_are_neither_bars_nor_limits),
        TEST(a_short_terminal_shows_the_most_urgent),
        TEST(the_urgent_frontend_is_above_the_other),
        TEST(no_size_is_exceeded),
        TEST(rates_are_unknown_where_two_surveys_do_not_tell_them),
        TEST(an_empty_survey_is_shown),
        TEST(counts_ages_and_rates_are_short),
        TEST(a_bar_grows_by_decades),
        TEST(every_queue_with_messages_is_seen_in_the_bar),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
