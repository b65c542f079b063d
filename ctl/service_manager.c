/* service_manager - systemd, where it is this host's: the units of the parts, started and stopped
 */
#include "ctl/service_manager.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/files.h"
#include "admin/mem.h"
#include "admin/process.h"

#define TCPMAP_SOCKET "peg-tcpmap.socket"

/* Where it looks for them (systemd.unit(5)). */
bool service_manager_has_unit(const char *name)
{
    static const char *const folders[] = {"/etc", "/usr/local/lib", "/usr/lib", "/lib"};
    bool found = false;

    for (size_t i = 0; !found && i < sizeof folders / sizeof *folders; i++) {
        char *path = mem_printf("%s/systemd/system/%s", folders[i], name);

        found = files_is_file(path);
        free(path);
    }
    return found;
}

bool service_manager_is_used(const struct settings *settings)
{
    return settings->root[0] == '\0' && files_is_folder("/run/systemd/system") && /* sd_booted(3) */
           service_manager_has_unit(SERVICE_MANAGER_TARGET);
}

void service_manager_unit(const struct part *part, char unit_r[SERVICE_MANAGER_UNIT_SIZE])
{
    if (part->kind == PART_INSTANCE)
        snprintf(unit_r, SERVICE_MANAGER_UNIT_SIZE, "peg-instance@%d.service", part->instance);
    else if (part->kind == PART_FRONTEND)
        snprintf(unit_r, SERVICE_MANAGER_UNIT_SIZE, "peg-%s.service",
                 part->instance == PEG_URGENT ? "urgent" : "frontend");
    else
        snprintf(unit_r, SERVICE_MANAGER_UNIT_SIZE, "%s.service", part->name);
}

static bool run(const char *command, const struct selection *selection)
{
    char units[PARTS_MAX][SERVICE_MANAGER_UNIT_SIZE];
    const char *argv[PARTS_MAX + 5] = {"systemctl", command};
    size_t count = 2;

    for (size_t i = 0; i < selection->count; i++) {
        /* The socket would start the service again. */
        if (selection->items[i]->kind == PART_TCPMAP)
            argv[count++] = TCPMAP_SOCKET;
        service_manager_unit(selection->items[i], units[i]);
        argv[count++] = units[i];
    }
    if (selection->whole)
        argv[count++] = SERVICE_MANAGER_TARGET;
    return selection->count == 0 || process_run(argv);
}

bool service_manager_start(const struct selection *selection)
{
    return run("start", selection);
}

bool service_manager_stop(const struct selection *selection)
{
    return run("stop", selection);
}
