/* check_ports - ports of parts that do not run, and that others have */
#include "gen/check_parts.h"

#include <sys/stat.h>

#include "admin/config_line.h"
#include "admin/part.h"
#include "ctl/ports.h"
#include "admin/process.h"

/* Whether systemd has the socket, and hands it to peg-tcpmap when that is started. */
static bool is_activated(const struct settings *settings)
{
    static const char *const argv[] = {"systemctl", "is-active", "peg-tcpmap.socket", NULL};
    struct process process;
    struct stat status;

    return settings->root[0] == '\0' && stat("/run/systemd/system", &status) == 0 &&
           process_start(&process, argv, PROCESS_NICE_KEEP) &&
           process_finish(&process, NULL, NULL) == 0;
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

/* What part runs has its ports itself. */
void check_ports(const struct work *work, struct diag *diag)
{
    struct parts parts;

    parts_init(&parts, work->settings);
    for (size_t i = 0; i < parts.count; i++) {
        const struct part *part = &parts.items[i];
        const struct work_folder *folder;

        if (part_runs(part, NULL) != 0)
            continue;
        if (part->kind == PART_TCPMAP)
            check_tcpmap(work->settings, diag);
        else if ((folder = work_folder_of(work, part)) != NULL &&
                 (folder->present.exists || !work->template_missing))
            ports_check(work->settings, part, check_dir(work, folder), diag);
    }
    parts_deinit(&parts);
}
