/* apply - the commands of peg-gen: check, diff and apply */
#include "gen/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/files.h"
#include "admin/mem.h"
#include "gen/check.h"
#include "gen/gone.h"
#include "admin/part.h"
#include "gen/refresh.h"
#include "gen/retire.h"
#include "gen/work.h"
#include "lib/options.h"

enum { NO_DRAIN_S = 60 }; /* for mail that is just on its way */

static void show(const struct work *work)
{
    if (work_count(work) == 0)
        printf("nothing to change\n");
    else
        work_print(stdout, work);
}

static bool runs(const struct settings *settings, int instance)
{
    struct part part;
    bool it_does;

    part_init_instance(&part, settings, instance);
    it_does = part_runs(&part, NULL) != 0;
    part_deinit(&part);
    return it_does;
}

/* Whether mail may come in; one that the settings no longer have may still run. */
static bool any_frontend_runs(const struct settings *settings)
{
    bool any = false;

    for (int n = PEG_FIRST; settings_is_frontend(n); n++)
        any = any || runs(settings, n);
    return any;
}

/* Some changes cannot be made while a Postfix runs, which --no-restart leaves alone. */
static bool may_change(const struct work *work)
{
    char name[SETTINGS_NAME_SIZE];
    bool good = true;

    for (size_t i = 0; i < work->gone_count; i++)
        if (runs(work->settings, work->gone[i].instance)) {
            settings_instance_name(work->gone[i].instance, name);
            fprintf(stderr,
                    "%s runs, and is to be removed: stop it (postfix -c %s stop), or leave out "
                    "--no-restart\n",
                    name, work->gone[i].dir);
            good = false;
        }
    for (size_t i = 0; i < work->folder_count; i++) {
        const struct plan *plan = work->folders[i].plan;

        if (work->folders[i].difference.owner && runs(work->settings, plan->instance)) {
            fprintf(stderr,
                    "%s runs, and its queue is to have another owner: stop it (postfix -c %s "
                    "stop), or leave out --no-restart\n",
                    plan->name, plan->dir);
            good = false;
        }
    }
    return good;
}

/* Between a stop and a start nobody must end this process: hung up terminals, Ctrl-C, a shutdown.
 */
static void hold_signals(int how)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(how, &signals, NULL);
}

/* Without restart nothing that runs has to be stopped (may_change()). */
static bool carry_out(struct work *work, bool restart)
{
    if (!refresh_before(work) || (work_count(work) > 0 && !work_carry_out(work, stdout))) {
        if (restart)
            refresh_report_stopped(work);
        return false;
    }
    return refresh(work, restart);
}

/* Instances that go while the gateway runs first get no new mail, and then deliver what they have.
 */
static bool retire(const struct settings *settings, const struct apply_options *options)
{
    struct work work;
    bool good = work_prepare(&work, settings, true) && carry_out(&work, true);

    good = good && gone_start(&work) && gone_close(&work);
    hold_signals(SIG_UNBLOCK); /* all runs, and this may take long */
    good = good && retire_wait(&work, options->drain ? options->drain_s : NO_DRAIN_S);
    hold_signals(SIG_BLOCK);
    work_deinit(&work);
    return good;
}

/* What came in at the last moment stays with an instance that is started again. */
static bool remove_gone(struct work *work)
{
    if (!gone_stop(work))
        return false;
    if (gone_mail(work) == 0)
        return work_remove_gone(work, stdout);
    fprintf(stderr, "new mail has come for an instance that is to be removed; run this again\n");
    if (!gone_start(work))
        fprintf(stderr, "and it does not start again\n");
    return false;
}

/* May prepare the work anew. */
static bool apply(struct work *work, const struct apply_options *options)
{
    const struct settings *settings = work->settings;
    bool good = options->restart || may_change(work);

    hold_signals(SIG_BLOCK);
    work_clean(work);
    if (work_count(work) == 0)
        printf("nothing to change\n");
    if (good && work->gone_count > 0 && options->restart && any_frontend_runs(settings)) {
        work_deinit(work);
        good = retire(settings, options);
        good = work_prepare(work, settings, false) && good;
    }
    return good && carry_out(work, options->restart) && remove_gone(work);
}

/* One at a time: two would undo each other's work. A lock of fcntl(2) is this process's alone: that
 * of flock(2) is held on by a child which is on its way to exec(2) when this one is killed. */
static bool lock(const struct settings *settings)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char *path = mem_printf("%s/run/peg-gen.lock", settings->root);
    char *folder = mem_printf("%s/run", settings->root);
    int fd = -1; /* open until this process ends */

    if (files_make_folder(folder, 0755, NULL)) /* root's alone, so that nobody else can lock it */
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good = fd >= 0 && fcntl(fd, F_SETLK, &whole) == 0;

    if (fd >= 0 && !good && (errno == EAGAIN || errno == EACCES))
        fprintf(stderr, "%s: another peg-gen apply is at work; wait for its end\n", path);
    else if (!good)
        fprintf(stderr, "%s: cannot be locked: %m\n", path);
    free(path);
    free(folder);
    return good;
}

static bool run_command(const struct settings *settings, const struct apply_options *options,
                        struct diag *diag)
{
    struct work work;
    unsigned warnings;
    bool may_wait = options->restart && any_frontend_runs(settings);
    bool good = work_prepare(&work, settings, false);

    if (good) {
        warnings = check_work(&work, may_wait, may_wait && options->drain, diag);
        good = diag->errors == 0;
    }
    if (good && options->command == APPLY_DIFF)
        show(&work);
    else if (good && options->command == APPLY_APPLY)
        good = apply(&work, options);
    else if (good && warnings == 0)
        printf("no problems found\n");
    work_deinit(&work);
    return good;
}

/* What was done is done; but who reads nothing must not take it for nothing to change. */
static bool is_told(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    fprintf(stderr, "standard output cannot be written: not all of what was to be said was\n");
    return false;
}

int apply_run(const char *root, const struct apply_options *options)
{
    struct diag diag = diag_to_stderr();
    struct settings *settings;
    bool good = false;

    unsetenv("MAIL_CONFIG"); /* which folder is meant is said with -c */
    settings = settings_load(root, &diag);
    if (settings == NULL)
        return EXIT_FAILED;
    if (options->command == APPLY_APPLY && geteuid() != 0)
        fprintf(stderr, "peg-gen apply has to be run by root\n");
    else if (options->command != APPLY_APPLY || lock(settings)) {
        check_system(settings, &diag);
        good = diag.errors == 0 && run_command(settings, options, &diag);
    }
    settings_free(&settings);
    good = is_told() && good;
    return good ? EXIT_DONE : EXIT_FAILED;
}
