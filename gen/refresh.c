/* refresh - make a running gateway take its changed configuration over */
#include "gen/refresh.h"

#include <stdio.h>
#include <string.h>

#include "gen/control.h"
#include "gen/part.h"

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

static const struct difference *difference_of(const struct work *work, const struct part *part)
{
    for (size_t i = 0; i < work->folder_count; i++)
        if (part->dir != NULL && strcmp(work->folders[i].plan->dir, part->dir) == 0)
            return &work->folders[i].difference;
    return NULL;
}

/* Whether the address on which peg-tcpmap listens has changed in the frontend's master.cf. */
static bool resolver_changed(const struct work *work)
{
    const struct difference *d = &work_frontend(work)->difference;

    return !d->create && pairs_get(&d->services, "rewrite-route/unix") != NULL;
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

/* What runs and has changed is reloaded. Our daemons always: rules and limits are theirs alone. */
static void choose(const struct work *work, const struct parts *parts, struct selection *reload,
                   struct selection *start)
{
    for (size_t i = 0; i < parts->count; i++) {
        const struct part *part = &parts->items[i];
        const struct difference *d = difference_of(work, part);
        int runs = part_runs(part, NULL);

        if (runs == 1 && (d == NULL || difference_count(d) > 0 || control_nice_differs(part)))
            select_part(reload, part);
        else if (runs == 0 && d != NULL && d->create)
            select_part(start, part);
    }
}

static bool refresh_running(const struct work *work, const struct parts *parts)
{
    struct selection reload = {.count = 0};
    struct selection start = {.count = 0};
    struct selection tcpmap = {.items = {parts_find(parts, "tcpmap")}, .count = 1};
    bool good = true;

    choose(work, parts, &reload, &start);
    if (start.count > 0) {
        good = control_start(work->settings, &start); /* before mail is sent there */
        print_names("started", &start);
    }
    if (resolver_changed(work) && part_runs(tcpmap.items[0], NULL) == 1) {
        good = control_stop(&tcpmap) && control_start(work->settings, &tcpmap) && good;
        print_names("restarted", &tcpmap);
    }
    good = control_reload(&reload) && good;
    print_names("reloaded", &reload);
    return good;
}

bool refresh(const struct work *work, bool restart)
{
    const char *root = work->settings->root;
    const char *option = root[0] != '\0' ? " --root " : "";
    struct parts parts;
    bool good = true;

    parts_init(&parts, work->settings);
    if (!any_runs(&parts))
        printf("the gateway is stopped; start it with: peg-ctl start%s%s\n", option, root);
    else if (restart)
        good = refresh_running(work, &parts);
    else if (work_count(work) > 0)
        printf("what runs keeps its old configuration until: peg-ctl restart%s%s\n", option, root);
    parts_deinit(&parts);
    return good;
}
