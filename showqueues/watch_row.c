/* watch_row - numbers, ages and bars of the view of peg-showqueues --watch */
#include "showqueues/watch_row.h"

#include <inttypes.h>
#include <math.h>

#define COUNT_MAX 9999999 /* that is shown to the last digit */

enum { BAR_PARTS = 3 };

void watch_row_count(uint64_t count, char text_r[WATCH_TEXT_SIZE])
{
    bool is_large = count > COUNT_MAX;

    snprintf(text_r, WATCH_TEXT_SIZE, "%" PRIu64 "%s", is_large ? count / 1000 : count,
             is_large ? "k" : "");
}

void watch_row_age(int64_t age_ms, char text_r[WATCH_TEXT_SIZE])
{
    int64_t seconds = age_ms > 0 ? age_ms / 1000 : 0; /* clocks may be set back */
    int64_t minutes = seconds / 60;
    int64_t hours = minutes / 60;

    if (minutes == 0)
        snprintf(text_r, WATCH_TEXT_SIZE, "%" PRId64 "s", seconds);
    else if (hours == 0)
        snprintf(text_r, WATCH_TEXT_SIZE, "%" PRId64 "m%02" PRId64 "s", minutes, seconds % 60);
    else if (hours < 24)
        snprintf(text_r, WATCH_TEXT_SIZE, "%" PRId64 "h%02" PRId64 "m", hours, minutes % 60);
    else
        snprintf(text_r, WATCH_TEXT_SIZE, "%" PRId64 "d%02" PRId64 "h", hours / 24, hours % 24);
}

void watch_row_rate(double per_s, char text_r[WATCH_TEXT_SIZE])
{
    snprintf(text_r, WATCH_TEXT_SIZE, "%.*f", per_s > 0 && per_s < 9.95 ? 1 : 0, per_s);
}

int watch_row_bar_len(uint64_t messages, int width)
{
    double len;

    if (messages == 0)
        return 0;
    len = round((1 + log10((double)messages)) * width / WATCH_DECADES);
    return len < 1 ? 1 : len > width ? width : (int)len;
}

/* Share out len cells so that each part is as long as its messages ask for, and one at least where
 * there are some and room is for all. */
static void share(int len, const uint64_t messages[BAR_PARTS], int cells_r[BAR_PARTS])
{
    double total = 0;
    int used = 0;
    int largest = 0;

    for (int i = 0; i < BAR_PARTS; i++) {
        total += (double)messages[i];
        if (messages[i] > messages[largest])
            largest = i;
    }
    for (int i = 0; i < BAR_PARTS; i++) {
        cells_r[i] = total > 0 ? (int)round((double)messages[i] / total * len) : 0;
        if (messages[i] > 0 && cells_r[i] == 0 && len >= BAR_PARTS)
            cells_r[i] = 1;
        used += cells_r[i];
    }
    cells_r[largest] += len - used;
}

void watch_row_bar(const struct survey_queue queues[QUEUE_COUNT], int width,
                   const struct watch_look *look, FILE *out)
{
    static const char *const ascii[BAR_PARTS] = {"#", "=", "-"};
    static const char *const utf8[BAR_PARTS] = {"\u2588", "\u2592", "\u2591"};
    const char *const styles[BAR_PARTS] = {look->style.moving, look->style.deferred,
                                           look->style.hold};
    const uint64_t messages[BAR_PARTS] = {
        queues[QUEUE_INCOMING].messages + queues[QUEUE_ACTIVE].messages,
        queues[QUEUE_DEFERRED].messages, queues[QUEUE_HOLD].messages};
    int len = watch_row_bar_len(messages[0] + messages[1] + messages[2], width);
    int cells[BAR_PARTS];

    share(len, messages, cells);
    for (int i = 0; i < BAR_PARTS; i++) {
        if (cells[i] > 0)
            fputs(styles[i], out);
        for (int cell = 0; cell < cells[i]; cell++)
            fputs(look->is_utf8 ? utf8[i] : ascii[i], out);
        if (cells[i] > 0)
            fputs(look->style.plain, out);
    }
    fprintf(out, "%*s", width - len, "");
}
