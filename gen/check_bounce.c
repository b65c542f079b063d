/* check_bounce - can Postfix run peg-bounce without a shell, and peg-bounce the bounce commands? */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "bounce/run.h"
#include "gen/check.h"
#include "lib/beside.h"
#include "lib/command.h"

/* Postfix gives a command line with any other character to sh (src/util/exec_command.c). */
static const char plain[] = "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

static void check_plain(const char *path, struct diag *diag)
{
    if (path[strspn(path, plain)] != '\0')
        diag_error(
            diag, path, 0,
            "Postfix would need a shell to run what has this in its name, because of \"%c\"; "
            "use another folder",
            path[strspn(path, plain)]);
}

/* Whether a warning was printed. */
static bool warn_of_command(const struct settings *settings, const char *name, const char *text)
{
    static const char *const nothing[FACT_NUMBER] = {"", "", "", "", "", "", ""};
    char why[COMMAND_WHY_SIZE];
    char path[PATH_MAX];
    char **words = text[0] != '\0' ? command_split(text, nothing, why) : NULL;
    bool missing = words != NULL && !run_find(words[0], path, sizeof path);

    if (missing)
        fprintf(stderr, "%s: warning: the bounce command of %s: there is no program %s%s\n",
                settings->file, name, words[0],
                strchr(words[0], '/') == NULL ? " in " RUN_PATH : "");
    command_free(&words);
    return missing;
}

unsigned check_bounce(const struct settings *settings, struct diag *diag)
{
    char name[SETTINGS_NAME_SIZE];
    char program[PATH_MAX];
    unsigned warnings = 0;

    check_plain(settings->root, diag);
    if (beside_program("peg-bounce", program))
        check_plain(program, diag);
    for (int n = PEG_FRONTEND; n < settings->priority_count; n++) {
        const struct settings_instance *own =
            n == PEG_FRONTEND ? &settings->frontend : &settings->instance[n];

        settings_instance_name(n, name);
        if (n == PEG_FRONTEND || settings_is_local(settings, n))
            warnings += warn_of_command(settings, name, own->bounce_command) ? 1 : 0;
    }
    return warnings;
}
