/* ctl - the commands of peg-ctl: start, stop, restart, reload, status, and those of our units */
#include "ctl/ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/files.h"
#include "admin/mem.h"
#include "admin/part.h"
#include "ctl/alias_index.h"
#include "ctl/control.h"
#include "ctl/dscp_table.h"
#include "ctl/pending.h"
#include "ctl/rules_check.h"
#include "lib/settings.h"
#include "lib/settings_values.h"
#include "milter/place.h"
#include "monitor/figures.h"
#include "survey/ask_socket.h"

enum command {
    COMMAND_START,
    COMMAND_STOP,
    COMMAND_RESTART,
    COMMAND_RELOAD,
    COMMAND_STATUS,
    COMMAND_PREPARE,
    COMMAND_RECOVERED
};

static enum command parse_command(const struct options *options, const char *text)
{
    static const char *const names[] = {"start",  "stop",    "restart",  "reload",
                                        "status", "prepare", "recovered"};

    for (int i = COMMAND_START; i <= COMMAND_RECOVERED; i++)
        if (strcmp(names[i], text) == 0)
            return (enum command)i;
    options_wrong(options, "there is no command '%s'", text);
}

/* A unit may be that of a Postfix which the settings no longer have, and which is to be removed. */
static void add_gone(struct parts *parts, const struct settings *settings, char *const names[])
{
    for (size_t i = 0; names[i] != NULL; i++) {
        long n = PEG_URGENT;

        if (parts_find(parts, names[i]) == NULL && parts->count < PARTS_MAX &&
            (strcmp(names[i], "urgent") == 0 ||
             settings_value_number(names[i], 0, SETTINGS_PRIORITY_MAX - 1, &n)))
            part_init_instance(&parts->items[parts->count++], settings, (int)n);
    }
}

static bool is_named(const struct parts *parts, const struct part *part, char *const names[])
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (parts_find(parts, names[i]) == part)
            return true;
    return names[0] == NULL;
}

/* The parts that are named, in the order of starting; wrong usage where a name is unknown. */
static void select_parts(const struct options *options, const struct parts *parts,
                         char *const names[], struct selection *selection_r)
{
    *selection_r = (struct selection){.whole = names[0] == NULL};
    for (size_t i = 0; names[i] != NULL; i++)
        if (parts_find(parts, names[i]) == NULL)
            options_wrong(
                options,
                "there is no part '%s' here; there are milter, tcpmap, monitor, frontend%s and the "
                "priorities that have an instance on this host",
                names[i], parts_find(parts, "urgent") != NULL ? ", urgent" : "");
    for (size_t i = 0; i < parts->count; i++)
        if (is_named(parts, &parts->items[i], names))
            selection_r->items[selection_r->count++] = &parts->items[i];
}

/* Whether peg-gen has made the folders of all Postfix parts. */
static bool is_generated(const struct selection *selection)
{
    bool generated = true;

    for (size_t i = 0; generated && i < selection->count; i++) {
        const char *dir = selection->items[i]->dir;
        char *main = mem_printf("%s/main.cf", dir != NULL ? dir : "");

        generated = dir == NULL || files_is_file(main);
        if (!generated)
            fprintf(stderr, "%s: not there; run peg-gen apply first\n", main);
        free(main);
    }
    return generated;
}

static bool reads_configuration(enum command command)
{
    return command == COMMAND_START || command == COMMAND_RESTART || command == COMMAND_RELOAD;
}

/* Without good rules there is no peg-milter: what would start it, or have it read them, does not.
 */
static bool rules_are_good(enum command command, const struct settings *settings)
{
    struct diag diag = diag_to_stderr();

    if (reads_configuration(command))
        rules_check(settings, &diag);
    return diag.errors == 0;
}

static bool has_postfix(const struct selection *selection)
{
    for (size_t i = 0; i < selection->count; i++)
        if (selection->items[i]->dir != NULL)
            return true;
    return false;
}

/*
 * Marks are there before packets are. Mail does not wait for them where they cannot be loaded: a
 * unit would end what it has started if this failed.
 */
static bool start(const struct settings *settings, const struct selection *selection, bool directly)
{
    bool marked = !has_postfix(selection) || dscp_load(settings);

    if (directly)
        return control_start_directly(settings, selection);
    return control_start(settings, selection) && marked;
}

/* What is stopped here is not to be started by the next peg-gen apply. */
static bool stop(const struct settings *settings, const struct selection *selection, bool directly)
{
    for (size_t i = 0; i < selection->count; i++)
        pending_clear(settings, selection->items[i]);
    return directly ? control_stop_directly(selection) : control_stop(settings, selection);
}

/* Only root can see what the kernel has. */
static bool report_status(const struct settings *settings, const struct selection *selection)
{
    bool all = control_status(selection);

    if (geteuid() != 0 || !has_postfix(selection) || dscp_is_loaded(settings) != 0)
        return all;
    printf("%s" SETTINGS_DSCP_FILE " not loaded\n", settings->root);
    return false;
}

/* An alias_maps that was edited takes effect. One with a mistake in it must not keep mail waiting.
 */
static void index_aliases(const struct selection *selection)
{
    for (size_t i = 0; i < selection->count; i++)
        if (selection->items[i]->dir != NULL && !alias_index_refresh(selection->items[i]->dir))
            fprintf(stderr, "%s/alias_maps: the index stays as it was\n", selection->items[i]->dir);
}

static bool make_figures_folder(const struct settings *settings)
{
    char path[PATH_MAX];
    int fd = figures_open(settings, path);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* What root has to do before a daemon is started as another user. */
static bool prepare(const struct settings *settings, const struct selection *selection)
{
    bool good = true;

    for (size_t i = 0; i < selection->count; i++)
        if (selection->items[i]->kind == PART_MILTER)
            good = place_make(settings) && good;
        else if (selection->items[i]->kind == PART_MONITOR)
            good = make_figures_folder(settings) && ask_socket_place(settings) && good;
    return good;
}

static bool carry_out(enum command command, const struct settings *settings,
                      const struct selection *selection, bool directly)
{
    if (reads_configuration(command))
        index_aliases(selection);
    switch (command) {
    case COMMAND_START:
        return start(settings, selection, directly);
    case COMMAND_STOP:
        return stop(settings, selection, directly);
    case COMMAND_RESTART:
        return stop(settings, selection, directly) && start(settings, selection, directly);
    case COMMAND_RELOAD:
        return control_reload(settings, selection);
    case COMMAND_STATUS:
        return report_status(settings, selection);
    case COMMAND_PREPARE:
        return prepare(settings, selection);
    case COMMAND_RECOVERED:
        return control_recovered(settings, selection);
    }
    return false;
}

int ctl_run(const struct options *options, const char *command_name, char *const names[],
            bool directly)
{
    enum command command = parse_command(options, command_name);
    struct diag diag = diag_to_stderr();
    struct settings *settings;
    struct parts parts;
    struct selection selection;
    bool good = false;

    unsetenv("MAIL_CONFIG"); /* which folder is meant is said with -c */
    settings = settings_load(options->root, &diag);
    if (settings == NULL)
        return EXIT_FAILED;
    parts_init(&parts, settings);
    if (directly)
        add_gone(&parts, settings, names);
    select_parts(options, &parts, names, &selection);
    if (command != COMMAND_STATUS && geteuid() != 0)
        fprintf(stderr, "peg-ctl %s has to be run by root\n", command_name);
    else if (is_generated(&selection) && (directly || rules_are_good(command, settings)))
        good = carry_out(command, settings, &selection, directly);
    parts_deinit(&parts);
    settings_free(&settings);
    return good ? EXIT_DONE : EXIT_FAILED;
}
