/* show_check - peg-showqueues --check: a monitoring plugin for Nagios and its kin */
#include "showqueues/show_check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "showqueues/show.h"
#include "showqueues/showqueues.h"
#include "survey/limits.h"

static const char *const status_names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

enum { TEXT_SIZE = QUEUES_WHY_SIZE + 64 };

struct check {
    const struct show_options *options;
    const struct settings *settings;
    const struct survey *survey;
    FILE *out;
    enum show_check worst;
    enum show_check printed; /* the findings of this one are printed, of SHOW_CHECK_OK none */
    bool is_first;
};

/* One thing in a queue that has limits. */
struct measured {
    int64_t value;
    int64_t warning; /* or SHOW_NO_LEVEL */
    int64_t critical;
};

/* Performance data begin at the first `|`, and the line ends at its end. */
static void print_text(const char *text, FILE *out)
{
    for (; *text != '\0'; text++)
        fputc((unsigned char)*text < ' ' ? '?' : *text == '|' ? '!' : *text, out);
}

static bool is_worse(enum show_check a, enum show_check b)
{
    static const int rank[] = {[SHOW_CHECK_OK] = 0,
                               [SHOW_CHECK_UNKNOWN] = 1,
                               [SHOW_CHECK_WARNING] = 2,
                               [SHOW_CHECK_CRITICAL] = 3};

    return rank[a] > rank[b];
}

static void find(struct check *check, enum show_check status, const char *fmt, ...)
    PEG_PRINTF(3, 4);

static void find(struct check *check, enum show_check status, const char *fmt, ...)
{
    char text[TEXT_SIZE];
    va_list args;

    if (is_worse(status, check->worst))
        check->worst = status;
    if (check->printed != status)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    fputs(check->is_first ? "" : "; ", check->out);
    print_text(text, check->out);
    check->is_first = false;
}

static void judge_state(struct check *check, const char *name, enum survey_state state)
{
    if (state == SURVEY_DOWN)
        find(check, SHOW_CHECK_CRITICAL, "%s is down", name);
    else if (state == SURVEY_UNKNOWN)
        find(check, SHOW_CHECK_UNKNOWN, "whether %s runs cannot be seen", name);
}

/* The parameter, where 0 is none, and the option: the lower one counts. */
static struct measured measure(const struct check *check, const struct survey_instance *instance,
                               enum queue queue, enum limit limit)
{
    int64_t parameter = limits_get(check->settings, instance->instance, limit);
    int64_t warning = check->options->levels.warning[limit];

    if (parameter != 0 && (warning == SHOW_NO_LEVEL || parameter < warning))
        warning = parameter;
    return (struct measured){.value = limits_value(check->survey, &instance->queues[queue], limit),
                             .warning = warning,
                             .critical = check->options->levels.critical[limit]};
}

/* The level that it is beyond, SHOW_NO_LEVEL for none. */
static int64_t beyond(const struct measured *measured, enum show_check *status_r)
{
    int64_t level = measured->critical;

    *status_r = SHOW_CHECK_CRITICAL;
    if (level != SHOW_NO_LEVEL && measured->value > level)
        return level;
    *status_r = SHOW_CHECK_WARNING;
    level = measured->warning;
    return level != SHOW_NO_LEVEL && measured->value > level ? level : SHOW_NO_LEVEL;
}

static void judge_queue(struct check *check, const char *name,
                        const struct survey_instance *instance, enum queue queue)
{
    const struct measured messages = measure(check, instance, queue, LIMIT_MESSAGES);
    const struct measured age = measure(check, instance, queue, LIMIT_AGE);
    char is[SHOWQUEUES_AGE_SIZE], limit[SHOWQUEUES_AGE_SIZE];
    enum show_check status;
    int64_t level = beyond(&messages, &status);

    if (level != SHOW_NO_LEVEL)
        find(check, status, "%s %s: %" PRId64 " messages, more than %" PRId64, name,
             queues_name(queue), messages.value, level);
    level = beyond(&age, &status);
    if (level != SHOW_NO_LEVEL) {
        showqueues_age_text(age.value, is);
        showqueues_age_text(level, limit);
        find(check, status, "%s %s: oldest %s, more than %s", name, queues_name(queue), is, limit);
    }
}

static void judge_instance(struct check *check, const struct survey_instance *instance)
{
    char name[SETTINGS_NAME_SIZE];

    settings_instance_name(instance->instance, name);
    judge_state(check, name, instance->state);
    if (!instance->is_known)
        find(check, SHOW_CHECK_UNKNOWN, "%s", instance->why);
    for (int queue = 0; instance->is_known && queue < QUEUE_COUNT; queue++)
        judge_queue(check, name, instance, (enum queue)queue);
}

static void judge(struct check *check, enum show_check printed)
{
    check->printed = printed;
    if (check->options->is_whole) {
        judge_state(check, "peg-milter", check->survey->milter.state);
        judge_state(check, "peg-tcpmap", check->survey->tcpmap.state);
    }
    for (size_t i = 0; i < check->survey->instance_count; i++)
        judge_instance(check, &check->survey->instances[i]);
}

static void print_good(const struct check *check)
{
    int64_t oldest_ms = survey_oldest_of_all_ms(check->survey);
    char age[SHOWQUEUES_AGE_SIZE];

    fprintf(check->out, "%" PRIu64 " messages", survey_messages_of_all(check->survey));
    if (oldest_ms != 0) {
        showqueues_age_text(survey_age_s(check->survey, oldest_ms), age);
        fprintf(check->out, ", oldest %s", age);
    }
}

static void print_measured(const struct check *check, const char *unit,
                           const struct measured *measured)
{
    fprintf(check->out, "=%" PRId64 "%s;", measured->value, unit);
    if (measured->warning != SHOW_NO_LEVEL)
        fprintf(check->out, "%" PRId64, measured->warning);
    fputc(';', check->out);
    if (measured->critical != SHOW_NO_LEVEL)
        fprintf(check->out, "%" PRId64, measured->critical);
    fputs(";0", check->out);
}

static void print_figures(const struct check *check, const struct survey_instance *instance)
{
    char name[SETTINGS_NAME_SIZE];

    settings_instance_name(instance->instance, name);
    for (int n = 0; instance->is_known && n < QUEUE_COUNT; n++) {
        enum queue queue = (enum queue)n;
        const struct measured messages = measure(check, instance, queue, LIMIT_MESSAGES);
        const struct measured age = measure(check, instance, queue, LIMIT_AGE);

        fprintf(check->out, " '%s-%s'", name, queues_name(queue));
        print_measured(check, "", &messages);
        fprintf(check->out, " '%s-%s-age'", name, queues_name(queue));
        print_measured(check, "s", &age);
    }
}

static void begin_line(enum show_check status, FILE *out)
{
    fprintf(out, "PEG %s - ", status_names[status]);
}

enum show_check show_check_print(const struct show_options *options,
                                 const struct settings *settings, const struct survey *survey,
                                 FILE *out)
{
    struct check check = {
        .options = options, .settings = settings, .survey = survey, .out = out, .is_first = true};

    judge(&check, SHOW_CHECK_OK);
    begin_line(check.worst, out);
    if (check.worst == SHOW_CHECK_OK)
        print_good(&check);
    judge(&check, SHOW_CHECK_CRITICAL);
    judge(&check, SHOW_CHECK_WARNING);
    judge(&check, SHOW_CHECK_UNKNOWN);
    fputs(" |", out);
    for (size_t i = 0; i < survey->instance_count; i++)
        print_figures(&check, &survey->instances[i]);
    fputc('\n', out);
    return check.worst;
}

static int unknown(const char *why)
{
    begin_line(SHOW_CHECK_UNKNOWN, stdout);
    print_text(why, stdout);
    putchar('\n');
    return SHOW_CHECK_UNKNOWN;
}

/* One line has room for one problem: `peg-gen check` names all. */
static void keep_first(void *arg, const char *text)
{
    char *why = arg;

    if (why[0] == '\0')
        snprintf(why, QUEUES_WHY_SIZE, "%s", text);
}

static void ignore(void *arg, const char *text)
{
    (void)arg;
    (void)text;
}

int show_check_run(const struct show_options *options)
{
    static struct survey survey; /* large for a stack */
    char why[QUEUES_WHY_SIZE] = "";
    struct diag diag = {.emit = keep_first, .warn = ignore, .arg = why};
    struct settings *settings = settings_load(options->common.root, &diag);
    int status;

    if (settings == NULL || !show_look(options, settings, SURVEY_DETAILS, NULL, NULL, &survey, why))
        status = unknown(why);
    else
        status = (int)show_check_print(options, settings, &survey, stdout);
    settings_free(&settings);
    return status;
}
