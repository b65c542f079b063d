/* show_options - the command line of peg-showqueues */
#include "showqueues/show_options.h"

#include <stdlib.h>
#include <string.h>

#include "lib/settings.h"
#include "lib/settings_values.h"
#include "showqueues/destinations_list.h"
#include "showqueues/watch.h"

enum { MESSAGES_MAX = 1000000000, AGE_MAX_S = 1000 * 24 * 60 * 60, DOMAINS_MAX = 1000000000 };

static const struct option long_options[] = {{"age", no_argument, NULL, 'a'},
                                             {"json", no_argument, NULL, 'j'},
                                             {"check", no_argument, NULL, 'c'},
                                             {"destinations", optional_argument, NULL, 'd'},
                                             {"watch", optional_argument, NULL, 'W'},
                                             {"instance", required_argument, NULL, 'i'},
                                             {"warning", required_argument, NULL, 'w'},
                                             {"critical", required_argument, NULL, 'C'},
                                             {"warning-age", required_argument, NULL, 'o'},
                                             {"critical-age", required_argument, NULL, 'O'},
                                             OPTIONS_COMMON};

/* By its name, or as peg-ctl takes it: `frontend`, `urgent`, or the priority. */
static void take_instance(struct show_options *options, const char *text)
{
    char name[SETTINGS_NAME_SIZE];
    long number;

    options->is_whole = false;
    for (int n = PEG_FIRST; n < SETTINGS_PRIORITY_MAX; n++) {
        settings_instance_name(n, name);
        if (strcmp(text, name) == 0 ||
            (settings_is_frontend(n) && strcmp(text, name + strlen("postfix-")) == 0)) {
            options->instance = n;
            return;
        }
    }
    if (!settings_value_number(text, 0, SETTINGS_PRIORITY_MAX - 1, &number))
        options_wrong(&options->common,
                      "--instance=%s: a name such as postfix4, a priority, frontend or urgent is "
                      "needed",
                      text);
    options->instance = (int)number;
}

static int64_t messages(const struct show_options *options, const char *name)
{
    long number;

    if (!settings_value_number(optarg, 0, MESSAGES_MAX, &number))
        options_wrong(&options->common, "--%s=%s: a number of messages up to %d is needed", name,
                      optarg, MESSAGES_MAX);
    return number;
}

static size_t domains(const struct show_options *options)
{
    long number;

    if (!settings_value_number(optarg, 0, DOMAINS_MAX, &number))
        options_wrong(&options->common,
                      "--destinations=%s: a number of domains up to %d is needed, or 0 for all",
                      optarg, DOMAINS_MAX);
    return (size_t)number;
}

static int64_t age_s(const struct show_options *options, const char *name)
{
    long seconds;

    if (!settings_value_time_s(optarg, 0, AGE_MAX_S, &seconds))
        options_wrong(&options->common, "--%s=%s: a time such as 300s, 10m, 2h or 1d is needed",
                      name, optarg);
    return seconds;
}

static int watch_s(const struct show_options *options)
{
    long seconds = WATCH_INTERVAL_S;

    if (optarg != NULL && !settings_value_number(optarg, 1, WATCH_INTERVAL_MAX_S, &seconds))
        options_wrong(&options->common, "--watch=%s: a number of seconds is needed, from 1 to %d",
                      optarg, WATCH_INTERVAL_MAX_S);
    return (int)seconds;
}

static void take_option(struct show_options *options, int opt, const char *name)
{
    switch (opt) {
    case 'a':
        options->age = true;
        break;
    case 'j':
        options->json = true;
        break;
    case 'c':
        options->check = true;
        break;
    case 'd':
        options->destinations = true;
        options->limit = optarg != NULL ? domains(options) : DESTINATIONS_LIMIT;
        break;
    case 'W':
        options->watch_s = watch_s(options);
        break;
    case 'i':
        take_instance(options, optarg);
        break;
    case 'w':
        options->levels.warning[LIMIT_MESSAGES] = messages(options, name);
        break;
    case 'C':
        options->levels.critical[LIMIT_MESSAGES] = messages(options, name);
        break;
    case 'o':
        options->levels.warning[LIMIT_AGE] = age_s(options, name);
        break;
    case 'O':
        options->levels.critical[LIMIT_AGE] = age_s(options, name);
        break;
    default:
        options_common(&options->common, opt);
    }
}

static bool has_level(const struct show_levels *levels)
{
    for (int limit = 0; limit < LIMIT_COUNT; limit++)
        if (levels->warning[limit] != SHOW_NO_LEVEL || levels->critical[limit] != SHOW_NO_LEVEL)
            return true;
    return false;
}

/* As getopt_long() takes it, shortened or with an argument that it does not have. */
static bool is_check(const char *text)
{
    enum { LEN_MIN = sizeof "--c" - 1 };
    size_t len = strcspn(text, "=");

    return len >= LEN_MIN && strncmp(text, "--check", len) == 0;
}

void show_options_read(struct show_options *options_r, const char *usage, int argc, char **argv)
{
    int opt, index = 0;

    *options_r = (struct show_options){
        .common = {.program = "peg-showqueues", .usage = usage, .root = ""},
        .is_whole = true,
        .levels = {{SHOW_NO_LEVEL, SHOW_NO_LEVEL}, {SHOW_NO_LEVEL, SHOW_NO_LEVEL}}};
    for (int i = 1; i < argc; i++) /* before anything can be wrong */
        if (is_check(argv[i]))
            options_r->common.failure_status = SHOW_UNKNOWN;
    while ((opt = getopt_long(argc, argv, "", long_options, &index)) != -1)
        take_option(options_r, opt, long_options[index].name);
    if (optind < argc)
        options_wrong(&options_r->common, "unexpected argument '%s'", argv[optind]);
    if (options_r->check && (options_r->age || options_r->json || options_r->destinations))
        options_wrong(&options_r->common, "--check has an output of its own: leave out the other");
    if (options_r->destinations && options_r->age)
        options_wrong(&options_r->common, "--destinations shows ages as it is: leave out --age");
    if (options_r->watch_s > 0 &&
        (options_r->check || options_r->age || options_r->json || options_r->destinations))
        options_wrong(&options_r->common, "--watch has an output of its own: leave out the other");
    if (!options_r->check && has_level(&options_r->levels))
        options_wrong(&options_r->common, "--warning and --critical belong to --check");
}
