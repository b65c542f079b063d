/* check_ports - ports of parts that do not run, and that others have */
#include "gen/check_parts.h"

#include <string.h>
#include <sys/stat.h>

#include "admin/config_line.h"
#include "admin/part.h"
#include "admin/process.h"
#include "ctl/pending.h"
#include "ctl/ports.h"

/* Whether systemd has the socket, and hands it to peg-tcpmap when that is started. */
static bool is_activated(const struct settings *settings)
{
    static const char *const argv[] = {"systemctl", "is-active", "peg-tcpmap.socket", NULL};
    struct process process;
    struct stat status;

    return settings->root[0] == '\0' && stat("/run/systemd/system", &status) == 0 &&
           process_start(&process, argv, NULL) && process_finish(&process, NULL, NULL) == 0;
}

static void check_tcpmap(const struct settings *settings, struct diag *diag)
{
    if (!ports_is_taken(settings->tcpmap_host, settings->tcpmap_port) || is_activated(settings))
        return;
    diag_error(diag, settings->file, config_line(settings, "TCPMAP_LISTEN"),
               "TCPMAP_LISTEN: another program listens on port %d of %s already; stop it, or "
               "choose another port",
               settings->tcpmap_port, settings->tcpmap_host);
}

/*
 * Services that frontends which run give up, before the other one starts (gen/refresh.c). false:
 * one has files by now that it has not read, and it cannot be told what it gives up.
 */
static bool find_left(const struct work *work, const struct parts *parts, struct pairs *left)
{
    for (size_t i = 0; i < parts->count; i++) {
        const struct part *part = &parts->items[i];
        const struct work_folder *folder = work_folder_of(work, part);

        if (part->kind != PART_FRONTEND || folder == NULL || part_runs(part, NULL) != 1)
            continue;
        if (pending_get(work->settings, part) != PENDING_NOTHING)
            return false;
        for (size_t k = 0; k < folder->difference.removed.count; k++)
            if (strstr(folder->difference.removed.items[k].name, "/inet") != NULL)
                pairs_set(left, folder->difference.removed.items[k].name, "");
    }
    return true;
}

/* What part runs has its ports itself. */
void check_ports(const struct work *work, struct diag *diag)
{
    struct pairs left = {0};
    struct parts parts;
    bool is_sure;

    parts_init(&parts, work->settings);
    is_sure = find_left(work, &parts, &left);
    for (size_t i = 0; i < parts.count; i++) {
        const struct part *part = &parts.items[i];
        const struct work_folder *folder;

        if (part_runs(part, NULL) != 0 || (part->kind == PART_FRONTEND && !is_sure))
            continue;
        if (part->kind == PART_TCPMAP)
            check_tcpmap(work->settings, diag);
        else if ((folder = work_folder_of(work, part)) != NULL &&
                 (folder->present.exists || !work->template_missing))
            ports_check(work->settings, part, check_dir(work, folder), &left, diag);
    }
    pairs_deinit(&left);
    parts_deinit(&parts);
}
