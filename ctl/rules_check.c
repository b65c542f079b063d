/* rules_check - is the rules file one that peg-milter would take? */
#include "ctl/rules_check.h"

#include <limits.h>

#include "milter/rules.h"

void rules_check(const struct settings *settings, struct diag *diag)
{
    char path[PATH_MAX];
    struct rules *rules;

    if (!settings_path(settings, SETTINGS_RULES_FILE, path)) {
        diag_error(diag, settings->root, 0, "the name of this folder is too long");
        return;
    }
    rules = rules_load(path, settings->priority_count, diag);
    rules_free(&rules);
}
