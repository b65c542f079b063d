/* apply - the commands of peg-gen: check, diff and apply */
#include "gen/apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gen/check.h"
#include "gen/gone.h"
#include "gen/part.h"
#include "gen/refresh.h"
#include "gen/work.h"
#include "lib/options.h"

static void show(const struct work *work)
{
    if (work_count(work) == 0)
        printf("nothing to change\n");
    else
        work_print(stdout, work);
}

/* Instances that go have to be stopped, which --no-restart forbids. */
static bool may_go(const struct work *work, bool restart)
{
    bool good = true;

    for (size_t i = 0; !restart && i < work->gone_count; i++) {
        struct part part;

        part_init_instance(&part, work->settings, work->gone[i].instance);
        if (part_runs(&part, NULL) != 0) {
            fprintf(stderr,
                    "%s runs, and is to be removed: stop it (postfix -c %s stop), or leave "
                    "out --no-restart\n",
                    part.name, part.dir);
            good = false;
        }
        part_deinit(&part);
    }
    return good;
}

static bool apply(struct work *work, bool restart)
{
    if (geteuid() != 0) {
        fprintf(stderr, "peg-gen apply has to be run by root\n");
        return false;
    }
    if (!may_go(work, restart) || !gone_stop(work))
        return false;
    if (work_count(work) == 0)
        printf("nothing to change\n");
    else if (!work_carry_out(work, stdout))
        return false;
    return refresh(work, restart);
}

static bool run_command(struct work *work, enum apply_command command, bool restart,
                        unsigned warnings)
{
    switch (command) {
    case APPLY_CHECK:
        if (warnings == 0)
            printf("no problems found\n");
        return true;
    case APPLY_DIFF:
        show(work);
        return true;
    case APPLY_APPLY:
        return apply(work, restart);
    }
    return false;
}

int apply_run(const char *root, enum apply_command command, bool restart)
{
    struct diag diag = diag_to_stderr();
    struct settings *settings;
    struct work work;
    unsigned warnings;
    bool good;

    unsetenv("MAIL_CONFIG"); /* which folder is meant is said with -c */
    settings = settings_load(root, &diag);
    if (settings == NULL)
        return EXIT_FAILED;
    check_system(settings, &diag);
    if (diag.errors > 0) {
        settings_free(&settings);
        return EXIT_FAILED;
    }
    good = work_prepare(&work, settings);
    if (good) {
        warnings = check_work(&work, &diag);
        good = diag.errors == 0 && run_command(&work, command, restart, warnings);
    }
    work_deinit(&work);
    settings_free(&settings);
    return good ? EXIT_DONE : EXIT_FAILED;
}
