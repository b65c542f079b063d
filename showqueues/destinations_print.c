/* destinations_print - a table of destinations as peg-showqueues shows it */
#include "showqueues/destinations_print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/iso_time.h"

enum {
    COLUMNS = 1 + DESTINATIONS_AGES, /* all ages, and each */
    NUMBER_SIZE = 24,
    LABEL_WIDTH_MAX = 48 /* longer ones shift their line */
};

static const char no_domain[] = "(no domain)";

/* How many bytes at text are a control character (Unicode's C0, C1, line and paragraph separators),
 * or one that turns the direction of text; 0: none. text is UTF-8. */
static size_t control_len(const char *text)
{
    static const struct {
        const char *first;
        const char *last;
    } ranges[] = {
        {"\x01", "\x1f"},
        {"\x7f", "\x7f"},
        {"\xc2\x80", "\xc2\x9f"},
        {"\xd8\x9c", "\xd8\x9c"},
        {"\xe2\x80\x8b", "\xe2\x80\x8f"},
        {"\xe2\x80\xa8", "\xe2\x80\xae"},
        {"\xe2\x81\xa0", "\xe2\x81\xaf"},
        {"\xef\xbb\xbf", "\xef\xbb\xbf"},
    };

    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        size_t len = strlen(ranges[i].first);

        if (strncmp(text, ranges[i].first, len) >= 0 && strncmp(text, ranges[i].last, len) <= 0)
            return len;
    }
    return 0;
}

/* What is shown of a domain, and on how many columns. To be freed; NULL: out of memory. */
static char *label_of(const char *domain, size_t *width_r)
{
    char *label = strdup(domain != NULL ? domain : no_domain);
    size_t len = 0, width = 0;

    for (const char *at = label; at != NULL && *at != '\0';) {
        size_t control = control_len(at);

        width += ((unsigned char)*at & 0xc0) != 0x80; /* each byte but those within a character */
        label[len++] = control > 0 ? '?' : *at;
        at += control > 0 ? control : 1;
    }
    if (label != NULL)
        label[len] = '\0';
    *width_r = width;
    return label;
}

struct layout {
    size_t label_width;
    int widths[COLUMNS]; /* each with the blank before it */
};

static void heading_of(size_t column, char text_r[NUMBER_SIZE])
{
    int minutes = DESTINATIONS_FIRST_AGE_MIN << (column > 1 ? column - 1 : 0);

    if (column == 0)
        snprintf(text_r, NUMBER_SIZE, "T");
    else if (column < COLUMNS - 1)
        snprintf(text_r, NUMBER_SIZE, "%d", minutes);
    else
        snprintf(text_r, NUMBER_SIZE, "%d+", minutes / 2);
}

static uint64_t figure_of(const struct destination *destination, size_t column)
{
    return column == 0 ? destination->recipients : destination->by_age[column - 1];
}

/* Columns as wide as what stands in them, and no narrower than qshape has them. */
static void lay_out(struct layout *layout, const struct destination *total)
{
    enum { NARROWEST = 2 };

    for (size_t column = 0; column < COLUMNS; column++) {
        char heading[NUMBER_SIZE];
        int figure_len = snprintf(NULL, 0, "%" PRIu64, figure_of(total, column));
        int len;

        heading_of(column, heading);
        len = (int)strlen(heading);
        len = len > figure_len ? len : figure_len;
        layout->widths[column] = (len > NARROWEST ? len : NARROWEST) + 1;
    }
}

static void print_label(const struct layout *layout, const char *label, size_t width, FILE *out)
{
    int pad = layout->label_width > width ? (int)(layout->label_width - width) : 0;

    fprintf(out, "   | %*s%s", pad, "", label);
}

static void print_headings(const struct layout *layout, FILE *out)
{
    print_label(layout, "", 0, out);
    for (size_t column = 0; column < COLUMNS; column++) {
        char heading[NUMBER_SIZE];

        heading_of(column, heading);
        fprintf(out, "%*s", layout->widths[column], heading);
    }
    fputc('\n', out);
}

/* Returns false where memory ran out. label NULL: the domain. */
static bool print_line(const struct layout *layout, const char *label,
                       const struct destination *destination, FILE *out)
{
    size_t width;
    char *text = label_of(label != NULL ? label : destination->domain, &width);

    if (text == NULL)
        return false;
    print_label(layout, text, width, out);
    for (size_t column = 0; column < COLUMNS; column++)
        fprintf(out, "%*" PRIu64, layout->widths[column], figure_of(destination, column));
    fputc('\n', out);
    free(text);
    return true;
}

/* Returns false where memory ran out. */
static bool find_label_width(struct layout *layout, const struct destination *const *list,
                             size_t count)
{
    layout->label_width = sizeof "(9999 other domains)" - 1;
    for (size_t i = 0; i < count; i++) {
        size_t width;
        char *label = label_of(list[i]->domain, &width);

        if (label == NULL)
            return false;
        free(label);
        if (width > layout->label_width && width <= LABEL_WIDTH_MAX)
            layout->label_width = width;
    }
    return true;
}

/* All that are not shown, as one. */
static struct destination sum_of(const struct destination *const *list, size_t count)
{
    struct destination sum = {.domain = NULL};

    for (size_t i = 0; i < count; i++)
        for (size_t age = 0; age < DESTINATIONS_AGES; age++) {
            sum.recipients += list[i]->by_age[age];
            sum.by_age[age] += list[i]->by_age[age];
        }
    return sum;
}

static bool print_lines(const struct destination *total, const struct destination *const *list,
                        size_t count, size_t shown, FILE *out)
{
    struct layout layout;
    bool good = find_label_width(&layout, list, shown);

    lay_out(&layout, total);
    print_headings(&layout, out);
    good = good && print_line(&layout, "TOTAL", total, out);
    for (size_t i = 0; good && i < shown; i++)
        good = print_line(&layout, NULL, list[i], out);
    if (good && count > shown) {
        const struct destination others = sum_of(list + shown, count - shown);
        char label[64];

        snprintf(label, sizeof label, "(%zu other %s)", count - shown,
                 count - shown == 1 ? "domain" : "domains");
        good = print_line(&layout, label, &others, out);
    }
    return good;
}

bool destinations_print(const struct destinations *destinations, const char *name, size_t limit,
                        FILE *out)
{
    const struct destination *total = destinations_total(destinations);
    const struct destination **list;
    size_t count;
    bool good = true;

    if (!destinations_sort(destinations, &list, &count))
        return false;
    fprintf(out, " * %s = %" PRIu64 "\n", name, total->recipients);
    if (count > 0)
        good = print_lines(total, list, count, limit > 0 && limit < count ? limit : count, out);
    free(list);
    return good;
}

/* Where memory ran out a value is NULL, and is not set. */
static bool set(json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) == 0;
}

static bool set_figures(json_t *object, const struct destination *destination, int64_t now_s)
{
    json_t *by_age = json_array();
    int64_t oldest_s = destination->oldest_s < now_s ? destination->oldest_s : now_s;
    bool is_empty = destination->recipients == 0, good = true;
    char oldest[ISO_TIME_SIZE];

    iso_time_print(oldest_s * 1000, oldest);
    for (size_t age = 0; age < DESTINATIONS_AGES; age++)
        good = json_array_append_new(by_age, json_integer((json_int_t)destination->by_age[age])) ==
                   0 &&
               good;
    good = set(object, "recipients", json_integer((json_int_t)destination->recipients)) && good;
    good = set(object, "by_age", by_age) && good;
    good = set(object, "oldest", is_empty ? json_null() : json_string(oldest)) && good;
    return set(object, "oldest_age_seconds",
               is_empty ? json_null() : json_integer(now_s - oldest_s)) &&
           good;
}

/* An array of them; NULL: out of memory. */
static json_t *list_json(const struct destination *const *list, size_t count, int64_t now_s)
{
    json_t *array = json_array();
    bool good = array != NULL;

    for (size_t i = 0; good && i < count; i++) {
        const char *domain = list[i]->domain;
        json_t *object = json_object();

        good = set(object, "domain", domain != NULL ? json_string(domain) : json_null()) &&
               set_figures(object, list[i], now_s);
        good = json_array_append_new(array, object) == 0 && good;
    }
    if (good)
        return array;
    json_decref(array);
    return NULL;
}

json_t *destinations_json(const struct destinations *destinations, const char *name, size_t limit,
                          int64_t now_s)
{
    json_t *object = json_object();
    const struct destination **list;
    size_t count, shown;
    bool good;

    if (!destinations_sort(destinations, &list, &count)) {
        json_decref(object);
        return NULL;
    }
    shown = limit > 0 && limit < count ? limit : count;
    good = set(object, "name", json_string(name)) && set(object, "error", json_null()) &&
           set_figures(object, destinations_total(destinations), now_s) &&
           set(object, "destinations", list_json(list, shown, now_s)) &&
           set(object, "others", json_integer((json_int_t)(count - shown)));
    free(list);
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

json_t *destinations_json_error(const char *name, const char *why)
{
    return json_pack("{s:s, s:s, s:n, s:n, s:n, s:n, s:n, s:n}", "name", name, "error", why,
                     "recipients", "by_age", "oldest", "oldest_age_seconds", "destinations",
                     "others");
}

json_t *destinations_json_ages(void)
{
    json_t *ages = json_array();

    for (int age = 0; age < DESTINATIONS_AGES - 1; age++)
        json_array_append_new(ages, json_integer(DESTINATIONS_FIRST_AGE_MIN << age));
    return ages;
}
