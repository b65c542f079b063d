/* watch_view - surveys as lines of a terminal: the view of peg-showqueues --watch */
#include "showqueues/watch_view.h"

#include <inttypes.h>
#include <string.h>

#include "lib/iso_time.h"
#include "showqueues/watch_row.h"

enum { NAME_WIDTH = 9, BAR_WIDTH_MIN = 7, SCALE_WIDTH_MIN = 35, LEGEND_WIDTH = 60 };

/* Behind name and bar. */
enum column { INCOMING, ACTIVE, DEFERRED, HOLD, TOTAL, OLDEST, RATE_IN, RATE_OUT, COLUMN_COUNT };

static const struct {
    const char *heading;
    int width; /* with a blank before it */
    int from;  /* the width of a terminal that has room for it */
    int until; /* and of one where others tell it better; 0: none */
} columns[COLUMN_COUNT] = {
    [INCOMING] = {"incoming", 9, 74, 0}, [ACTIVE] = {"active", 8, 74, 0},
    [DEFERRED] = {"deferred", 9, 57, 0}, [HOLD] = {"hold", 8, 74, 0},
    [TOTAL] = {"total", 8, 17, 74},      [OLDEST] = {"oldest", 7, 24, 0},
    [RATE_IN] = {"in/s", 8, 40, 0},      [RATE_OUT] = {"out/s", 8, 40, 0},
};

struct view {
    const struct survey *survey;
    const struct survey *before;
    const struct watch_look *look;
    FILE *out;
    int bar_width; /* 0: none */
};

static bool has_column(const struct watch_look *look, int column)
{
    int until = columns[column].until;

    if (look->width == 0)
        return until == 0;
    return look->width >= columns[column].from && (until == 0 || look->width < until);
}

/* What remains of a line, less a blank. */
static int bar_width(const struct watch_look *look)
{
    int left = look->width - NAME_WIDTH - 1;

    for (int column = 0; column < COLUMN_COUNT; column++)
        if (has_column(look, column))
            left -= columns[column].width;
    return left >= BAR_WIDTH_MIN ? left : 0;
}

/* As much of an ASCII text as there is room for in a line of which `used` columns are. */
static void put(const struct view *view, int used, const char *text)
{
    int room = view->look->width == 0 ? INT32_MAX : view->look->width - used;

    fprintf(view->out, "%.*s", room > 0 ? room : 0, text);
}

static void styled(const struct view *view, const char *style, int used, const char *text)
{
    fputs(style, view->out);
    put(view, used, text);
    fputs(view->look->style.plain, view->out);
}

static void title(const struct view *view)
{
    char now[ISO_TIME_SIZE];
    char text[ISO_TIME_SIZE + 128];

    iso_time_print(view->survey->taken_ms, now);
    snprintf(text, sizeof text, "%.19sZ%s%s", now, view->look->note[0] != '\0' ? "  " : "",
             view->look->note);
    put(view, 0, text);
    putc('\n', view->out);
}

/* Where the bars of 1, 10, 100 ... messages end. */
static void scale(const struct view *view)
{
    static const char *const labels[WATCH_DECADES] = {"1", "10", "100", "1k", "10k", "100k", "1M"};
    uint64_t messages = 1;
    int used = 0;

    putc(' ', view->out);
    for (int i = 0; i < WATCH_DECADES; i++, messages *= 10) {
        int end = watch_row_bar_len(messages, view->bar_width);

        if (i < WATCH_DECADES - 1 && view->bar_width < SCALE_WIDTH_MIN)
            continue;
        fprintf(view->out, "%*s", end - used, labels[i]);
        used = end;
    }
}

static void heading(const struct view *view)
{
    const struct watch_look *look = view->look;

    fputs(look->style.heading, view->out);
    put(view, 0, "         "); /* over the names */
    if (view->bar_width > 0)
        scale(view);
    for (int column = 0; column < COLUMN_COUNT; column++)
        if (has_column(look, column))
            fprintf(view->out, "%*s", columns[column].width, columns[column].heading);
    fprintf(view->out, "%s\n", look->style.plain);
}

static const struct survey_instance *before_of(const struct view *view, int instance)
{
    for (size_t i = 0; view->before != NULL && i < view->before->instance_count; i++)
        if (view->before->instances[i].instance == instance)
            return &view->before->instances[i];
    return NULL;
}

static void rate(const struct view *view, const struct survey_instance *instance, bool is_in,
                 char text_r[WATCH_TEXT_SIZE])
{
    const struct survey_instance *before = before_of(view, instance->instance);
    const struct survey_flow *flow = &instance->flow;
    int64_t time_ms = before == NULL ? 0 : view->survey->taken_ms - view->before->taken_ms;
    uint64_t now, then;

    snprintf(text_r, WATCH_TEXT_SIZE, "-");
    if (time_ms <= 0 || !flow->is_known || !before->flow.is_known ||
        flow->since_ms != before->flow.since_ms)
        return;
    now = is_in ? flow->received_messages : flow->left_messages;
    then = is_in ? before->flow.received_messages : before->flow.left_messages;
    if (now >= then)
        watch_row_rate((double)(now - then) * 1000 / (double)time_ms, text_r);
}

/* Mail that an operator holds is not what waits. */
static void oldest(const struct view *view, const struct survey_instance *instance,
                   char text_r[WATCH_TEXT_SIZE])
{
    int64_t oldest_ms = 0;

    for (int queue = 0; queue < QUEUE_COUNT; queue++) {
        int64_t found_ms = queue == QUEUE_HOLD ? 0 : instance->queues[queue].oldest_ms;

        if (found_ms > 0 && (oldest_ms == 0 || found_ms < oldest_ms))
            oldest_ms = found_ms;
    }
    if (oldest_ms > 0)
        watch_row_age(view->survey->taken_ms - oldest_ms, text_r);
    else
        snprintf(text_r, WATCH_TEXT_SIZE, "-");
}

static void cell(const struct view *view, const struct survey_instance *instance, int column)
{
    static const enum queue queues[] = {[INCOMING] = QUEUE_INCOMING,
                                        [ACTIVE] = QUEUE_ACTIVE,
                                        [DEFERRED] = QUEUE_DEFERRED,
                                        [HOLD] = QUEUE_HOLD};
    bool is_down = instance->state == SURVEY_DOWN;
    char text[WATCH_TEXT_SIZE] = "";

    switch ((enum column)column) {
    case INCOMING:
    case ACTIVE:
    case DEFERRED:
    case HOLD:
        watch_row_count(instance->queues[queues[column]].messages, text);
        break;
    case TOTAL:
        watch_row_count(survey_messages(instance), text);
        break;
    case OLDEST:
        oldest(view, instance, text);
        break;
    case RATE_IN:
        if (!is_down)
            rate(view, instance, true, text);
        break;
    case RATE_OUT:
        if (is_down)
            snprintf(text, sizeof text, "down");
        else
            rate(view, instance, false, text);
        break;
    case COLUMN_COUNT:
        break;
    }
    fprintf(view->out, " %*s", columns[column].width - 1, text);
}

static void row(const struct view *view, const struct survey_instance *instance)
{
    const struct watch_look *look = view->look;
    const char *style = instance->state == SURVEY_DOWN ? look->style.alarm : "";
    size_t prefix = settings_is_frontend(instance->instance) ? strlen("postfix-") : 0;
    char whole[SETTINGS_NAME_SIZE], name[SETTINGS_NAME_SIZE + NAME_WIDTH];

    settings_instance_name(instance->instance, whole);
    snprintf(name, sizeof name, "%-*s", NAME_WIDTH, whole + prefix);
    if (!instance->is_known) {
        put(view, 0, name);
        put(view, NAME_WIDTH, " ");
        styled(view, look->style.alarm, NAME_WIDTH + 1, instance->why);
        putc('\n', view->out);
        return;
    }
    fputs(style, view->out);
    put(view, 0, name);
    if (view->bar_width > 0) {
        putc(' ', view->out);
        watch_row_bar(instance->queues, view->bar_width, look, view->out);
        fputs(style, view->out);
    }
    for (int column = 0; column < COLUMN_COUNT; column++)
        if (has_column(look, column))
            cell(view, instance, column);
    fprintf(view->out, "%s\n", style[0] != '\0' ? look->style.plain : "");
}

/* Returns the column that it ends before. */
static int daemon_state(const struct view *view, const char *name, enum survey_state state,
                        int used)
{
    static const char *const words[] = {
        [SURVEY_UNKNOWN] = "unknown", [SURVEY_DOWN] = "down", [SURVEY_UP] = "up"};
    char text[WATCH_TEXT_SIZE];
    int len = snprintf(text, sizeof text, "%s%s %s", used > 0 ? "  " : "", name, words[state]);

    styled(view, state == SURVEY_DOWN ? view->look->style.alarm : view->look->style.plain, used,
           text);
    return used + len;
}

static void daemons(const struct view *view)
{
    int used = daemon_state(view, "peg-milter", view->survey->milter.state, 0);

    daemon_state(view, "peg-tcpmap", view->survey->tcpmap.state, used);
    putc('\n', view->out);
}

static void legend(const struct view *view)
{
    const struct watch_look *look = view->look;
    const struct watch_style *style = &look->style;

    fprintf(view->out,
            "%s%s%s incoming, active  %s%s%s deferred  %s%s%s hold  bars are logarithmic\n",
            style->moving, look->is_utf8 ? "\u2588" : "#", style->plain, style->deferred,
            look->is_utf8 ? "\u2592" : "=", style->plain, style->hold,
            look->is_utf8 ? "\u2591" : "-", style->plain);
}

/* In the order of the view: those that receive, and then the most urgent first. */
static const struct survey_instance *instance_at(const struct survey *survey, size_t place)
{
    size_t frontends = 0;

    while (frontends < survey->instance_count &&
           settings_is_frontend(survey->instances[frontends].instance))
        frontends++;
    if (place < frontends)
        return &survey->instances[place];
    return &survey->instances[survey->instance_count - 1 - (place - frontends)];
}

/* As many as there are lines for. */
static size_t rows(const struct view *view, size_t lines)
{
    size_t count = view->survey->instance_count;
    size_t shown = count <= lines ? count : lines - 1;
    char text[WATCH_TEXT_SIZE];

    if (lines == 0)
        return 0;
    for (size_t place = 0; place < shown; place++)
        row(view, instance_at(view->survey, place));
    if (shown < count) {
        snprintf(text, sizeof text, "(%zu more)", count - shown);
        put(view, 0, text);
        putc('\n', view->out);
    }
    return count <= lines ? count : lines;
}

void watch_view_print(const struct survey *survey, const struct survey *before,
                      const struct watch_look *look, FILE *out)
{
    const struct view view = {.survey = survey,
                              .before = before,
                              .look = look,
                              .out = out,
                              .bar_width = look->width == 0 ? 0 : bar_width(look)};
    size_t left = look->height == 0 ? SIZE_MAX : (size_t)look->height;

    title(&view);
    left--;
    if (left >= 2) {
        heading(&view);
        left--;
    }
    left -= rows(&view, left);
    if (look->height != 0 && left >= 2) {
        putc('\n', out);
        left--;
    }
    if (left >= 1) {
        daemons(&view);
        left--;
    }
    if (left >= 1 && view.bar_width > 0 && look->width >= LEGEND_WIDTH)
        legend(&view);
}
