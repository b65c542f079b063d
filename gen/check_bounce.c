/* check_bounce - can Postfix run peg-bounce without a shell, and peg-bounce the bounce commands? */
#include <limits.h>
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

static void check_command(const struct settings *settings, const char *name, const char *text,
                          struct diag *diag)
{
    static const char *const nothing[FACT_NUMBER] = {"", "", "", "", "", "", ""};
    char why[COMMAND_WHY_SIZE];
    char path[PATH_MAX];
    char **words = text[0] != '\0' ? command_split(text, nothing, why) : NULL;

    if (words != NULL && !run_find(words[0], path, sizeof path))
        diag_warning(diag, settings->file, 0, "the bounce command of %s: there is no program %s%s",
                     name, words[0], strchr(words[0], '/') == NULL ? " in " RUN_PATH : "");
    command_free(&words);
}

void check_bounce(const struct settings *settings, struct diag *diag)
{
    char name[SETTINGS_NAME_SIZE];
    char program[PATH_MAX];

    check_plain(settings->root, diag);
    if (beside_program("peg-bounce", program))
        check_plain(program, diag);
    for (int n = PEG_FIRST; n < settings->priority_count; n++) {
        settings_instance_name(n, name);
        if (settings_has(settings, n))
            check_command(settings, name, settings_own(settings, n)->bounce_command, diag);
    }
}
