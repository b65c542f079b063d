/* commands - the command line of peg-gen, when the common options are read */
#include "gen/commands.h"

#include <stddef.h>
#include <string.h>

#include "doctor/doctor.h"
#include "import/import_command.h"
#include "lib/settings_values.h"

enum { DRAIN_S = 600, DRAIN_MAX_S = 100 * 86400 };

void commands_take_drain(const struct options *options, const char *argument,
                         struct apply_options *apply)
{
    long seconds = DRAIN_S;

    if (argument != NULL && !settings_value_number(argument, 1, DRAIN_MAX_S, &seconds))
        options_wrong(options, "--drain=%s: a number of seconds is needed, from 1 to %d", argument,
                      DRAIN_MAX_S);
    apply->drain = true;
    apply->drain_s = (int)seconds;
}

struct request {
    const struct options *options;
    struct apply_options *apply;
    const char *argument;
};

static int check(const struct request *request)
{
    request->apply->command = APPLY_CHECK;
    return apply_run(request->options->root, request->apply);
}

static int diff(const struct request *request)
{
    request->apply->command = APPLY_DIFF;
    return apply_run(request->options->root, request->apply);
}

static int apply(const struct request *request)
{
    request->apply->command = APPLY_APPLY;
    return apply_run(request->options->root, request->apply);
}

static int import_rules(const struct request *request)
{
    return import_command_run(request->options->root, request->argument);
}

static int doctor(const struct request *request)
{
    return doctor_run(request->options->root);
}

static const struct command {
    const char *name;
    const char *argument; /* what it needs, NULL for nothing */
    int (*run)(const struct request *request);
} commands[] = {
    {"check", NULL, check},
    {"diff", NULL, diff},
    {"apply", NULL, apply},
    {"doctor", NULL, doctor},
    {"import-rules", "FILE", import_rules},
};

static const struct command *find(const struct options *options, const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    options_wrong(options, "there is no command '%s'", name);
}

int commands_run(const struct options *options, struct apply_options *apply_options,
                 char *const words[])
{
    struct request request = {.options = options, .apply = apply_options};
    const struct command *command;

    if (words[0] == NULL)
        options_wrong(options, "a command is needed");
    command = find(options, words[0]);
    if (command->argument != NULL) {
        request.argument = *++words;
        if (request.argument == NULL)
            options_wrong(options, "%s needs %s", command->name, command->argument);
    }
    if (words[1] != NULL)
        options_wrong(options, "unexpected argument '%s'", words[1]);
    if (command->run != apply && (!apply_options->restart || apply_options->drain))
        options_wrong(options, "--no-restart and --drain belong to apply");
    if (!apply_options->restart && apply_options->drain)
        options_wrong(options, "--drain and --no-restart exclude each other");
    return command->run(&request);
}
