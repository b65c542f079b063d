/* refresh - make a running gateway take its changed configuration over */
#include "gen/refresh.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/mem.h"
#include "admin/part.h"
#include "ctl/control.h"
#include "ctl/cpu_share.h"
#include "ctl/pending.h"
#include "lib/clock.h"
#include "lib/startup.h"

enum { TRANSPORT_TIMEOUT_MS = 10000, POLL_MS = 10 };

/* What is to be done with the parts of a running gateway. */
struct steps {
    struct selection start;      /* new, or stopped by us */
    struct selection start_last; /* the same for frontends */
    struct selection restart;    /* daemons that have to be started with other settings */
    struct selection decide;     /* the same for peg-milter, which sends mail to what is new */
    struct selection daemons;    /* to be reloaded */
    struct selection postfix;    /* to be reloaded */
};

static void select_part(struct selection *selection, const struct part *part)
{
    selection->items[selection->count++] = part;
}

static bool any_runs(const struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        if (part_runs(&parts->items[i], NULL) == 1)
            return true;
    return false;
}

/* What an earlier run has stopped and not started again. */
static bool any_waits(const struct work *work, const struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        if (pending_get(work->settings, &parts->items[i]) == PENDING_START)
            return true;
    return false;
}

static const struct difference *difference_of(const struct work *work, const struct part *part)
{
    const struct work_folder *folder = work_folder_of(work, part);

    return folder != NULL ? &folder->difference : NULL;
}

static void print_names(const char *what, const struct selection *selection)
{
    if (selection->count == 0)
        return;
    printf("%s:", what);
    for (size_t i = 0; i < selection->count; i++)
        printf(" %s", selection->items[i]->name);
    printf("\n");
}

/* Our daemons are always reloaded at least: rules and limits are theirs alone. */
static void choose_daemon(const struct work *work, const struct part *part, struct steps *steps)
{
    bool runs = part_runs(part, NULL) == 1;

    if (runs && startup_needs_restart(work->settings, part->name))
        select_part(part->kind == PART_MILTER ? &steps->decide : &steps->restart, part);
    else if (runs)
        select_part(&steps->daemons, part);
    else if (pending_get(work->settings, part) == PENDING_START)
        select_part(&steps->start, part);
}

/* An instance that was removed has kept its folder. */
static bool is_new(const struct difference *d)
{
    return d->create || d->registration;
}

static void choose_postfix(const struct work *work, const struct part *part,
                           const struct difference *d, struct steps *steps)
{
    enum pending pending = pending_get(work->settings, part);
    int runs = part_runs(part, NULL);

    if (runs == 1 &&
        (difference_count(d) > 0 || pending != PENDING_NOTHING || cpu_share_differs(part)))
        select_part(&steps->postfix, part);
    else if (runs == 0 && (is_new(d) || pending == PENDING_START))
        select_part(part->kind == PART_FRONTEND ? &steps->start_last : &steps->start, part);
}

static void choose(const struct work *work, const struct parts *parts, struct steps *steps)
{
    for (size_t i = 0; i < parts->count; i++) {
        const struct difference *d = difference_of(work, &parts->items[i]);

        if (d == NULL)
            choose_daemon(work, &parts->items[i], steps);
        else
            choose_postfix(work, &parts->items[i], d, steps);
    }
}

/*
 * Whether somebody holds a socket in a folder open. Postfix's master leaves the names of those that
 * it has closed. A connection would start a process, so one of the wrong kind is tried.
 */
static bool is_open(int folder, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool open_there;

    /* A queue directory's own path may be too long for an address. */
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder, name);
    open_there =
        connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 && errno == EPROTOTYPE;
    if (fd >= 0)
        close(fd);
    return open_there;
}

/* Whether a frontend's master has the transports of a priority. */
static bool has_transports(int folder, int priority)
{
    char plain[32], marked[32];

    snprintf(plain, sizeof plain, "peg%d", priority);
    snprintf(marked, sizeof marked, "peg%d-f", priority);
    return is_open(folder, plain) && is_open(folder, marked);
}

static bool await_transport(int folder, const char *frontend, int priority)
{
    for (int waited_ms = 0; waited_ms < TRANSPORT_TIMEOUT_MS; waited_ms += POLL_MS) {
        if (has_transports(folder, priority))
            return true;
        clock_sleep_ms(POLL_MS);
    }
    fprintf(stderr,
            "%s has no transport peg%d, %d s after its reload, so that peg-milter goes on as "
            "before; look into the log, and run this again\n",
            frontend, priority, TRANSPORT_TIMEOUT_MS / 1000);
    return false;
}

/*
 * A reload of Postfix is over before it has begun. Mail must not be sent to what is not there, nor
 * be marked for it before cleanup(8) has the new table: master(8) lets its old processes go before
 * it makes the sockets of our transports, which come last in master.cf.
 */
static bool await_transports(const struct work *work, const struct part *frontend)
{
    char *path = mem_printf("%s/private", work_folder_of(work, frontend)->plan->queue_dir);
    int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool good = folder >= 0;

    if (!good)
        fprintf(stderr, "%s: cannot be opened: %m\n", path);
    for (int n = 0; good && n < work->settings->priority_count; n++)
        good = await_transport(folder, frontend->name, n);
    if (folder >= 0)
        close(folder);
    free(path);
    return good;
}

static bool restart_daemons(const struct work *work, const struct selection *restart)
{
    bool good = true;

    for (size_t i = 0; i < restart->count; i++)
        pending_note(work->settings, restart->items[i], PENDING_START);
    if (restart->count > 0)
        good = control_stop(work->settings, restart) && control_start(work->settings, restart);
    if (good)
        print_names("restarted", restart);
    return good;
}

/* First the frontends, which may be given new ways, then those who send mail there. */
static bool reload(const struct work *work, const struct parts *parts, const struct steps *steps)
{
    bool good = control_reload(work->settings, &steps->postfix);

    for (size_t i = 0; i < parts->count; i++)
        if (parts->items[i].kind == PART_FRONTEND && part_runs(&parts->items[i], NULL) == 1 &&
            !await_transports(work, &parts->items[i]))
            return false;
    good = restart_daemons(work, &steps->decide) && good;
    good = control_reload(work->settings, &steps->daemons) && good;
    print_names("reloaded", &steps->daemons);
    print_names("reloaded", &steps->postfix);
    return good;
}

static bool start(const struct work *work, const struct selection *selection)
{
    bool started = selection->count == 0 || control_start(work->settings, selection);

    if (started)
        print_names("started", selection);
    return started;
}

/* New instances are started before mail is sent there; a frontend when the other, which may have
 * had its port, has read its new files. */
static bool refresh_running(const struct work *work, const struct parts *parts)
{
    struct steps steps = {.start = {.count = 0}};
    bool good;

    choose(work, parts, &steps);
    good = restart_daemons(work, &steps.restart);
    good = start(work, &steps.start) && good;
    good = reload(work, parts, &steps) && good;
    good = start(work, &steps.start_last) && good;
    for (size_t i = 0; good && i < parts->count; i++)
        pending_clear(work->settings, &parts->items[i]);
    return good;
}

bool refresh_before(const struct work *work)
{
    struct selection stop = {.count = 0};
    struct parts parts;
    bool running;

    parts_init(&parts, work->settings);
    running = any_runs(&parts);
    for (size_t i = 0; running && i < parts.count; i++) {
        const struct part *part = &parts.items[i];
        const struct difference *d = difference_of(work, part);
        bool runs = part_runs(part, NULL) == 1;

        if (d == NULL || difference_count(d) == 0)
            continue;
        pending_note(work->settings, part, is_new(d) || d->owner ? PENDING_START : PENDING_RELOAD);
        if (d->owner && runs)
            select_part(&stop, part);
    }
    bool good = control_stop(work->settings, &stop);

    print_names("stopped", &stop);
    parts_deinit(&parts);
    return good;
}

void refresh_report_stopped(const struct work *work)
{
    struct parts parts;

    parts_init(&parts, work->settings);
    for (size_t i = 0; i < parts.count; i++)
        if (part_runs(&parts.items[i], NULL) == 0 &&
            pending_get(work->settings, &parts.items[i]) == PENDING_START)
            fprintf(stderr,
                    "%s is stopped, and stays so until peg-gen apply, run again, comes to its "
                    "end\n",
                    parts.items[i].name);
    parts_deinit(&parts);
}

bool refresh(const struct work *work, bool restart)
{
    const char *root = work->settings->root;
    const char *option = root[0] != '\0' ? " --root " : "";
    struct parts parts;
    bool good = true;

    parts_init(&parts, work->settings);
    if (!any_runs(&parts) && !any_waits(work, &parts))
        printf("the gateway is stopped; start it with: peg-ctl start%s%s\n", option, root);
    else if (restart)
        good = refresh_running(work, &parts);
    else if (work_count(work) > 0)
        printf("what runs keeps its old configuration until: peg-ctl restart%s%s\n", option, root);
    parts_deinit(&parts);
    return good;
}
