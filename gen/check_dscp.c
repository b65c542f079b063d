/* check_dscp - can packets be marked on this machine? */
#include "gen/check.h"

#include <stdlib.h>

#include "admin/config_line.h"
#include "ctl/dscp_table.h"

/* The lines that ask for marks, and so are to be named; each once. */
static size_t find_lines(const struct settings *settings, unsigned lines_r[])
{
    size_t count = 0;

    for (int n = PEG_FIRST; n < settings->priority_count; n++) {
        unsigned line;
        bool known = false;

        if (!settings_has(settings, n) || settings_own(settings, n)->dscp == 0)
            continue;
        line = config_line_of_instance(settings, "DSCP_CLASS", n);
        for (size_t i = 0; i < count; i++)
            known = known || lines_r[i] == line;
        if (!known)
            lines_r[count++] = line;
    }
    return count;
}

void check_dscp(const struct settings *settings, struct diag *diag)
{
    unsigned lines[SETTINGS_POSTFIX_MAX];
    size_t count = find_lines(settings, lines);
    char *why = NULL;

    for (size_t i = 0; !settings->instance_users && i < count; i++)
        diag_warning(diag, settings->file, lines[i],
                     "DSCP_CLASS is without effect, since packets are told apart by the user who "
                     "sends them: set INSTANCE_USERS=yes, or BE here");
    if (settings->instance_users && count > 0 && !dscp_is_possible(&why))
        diag_warning(diag, settings->file, lines[0], "DSCP_CLASS is without effect: %s", why);
    free(why);
}
