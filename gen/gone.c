/* gone - Postfixes that the settings no longer have */
#include "gen/gone.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/config_line.h"
#include "admin/files.h"
#include "admin/mem.h"
#include "admin/part.h"
#include "ctl/control.h"
#include "lib/file.h"
#include "lib/route.h"
#include "survey/queues.h"

/* Files in maildrop, where sendmail(1) puts mail until pickup(8) takes it; 0 where it is missing.
 */
static uint64_t count_maildrop(const char *queue_dir)
{
    char *path = mem_printf("%s/maildrop", queue_dir);
    DIR *stream = opendir(path);
    const struct dirent *entry;
    uint64_t count = 0;

    while (stream != NULL && (entry = readdir(stream)) != NULL)
        count += entry->d_name[0] != '.';
    if (stream != NULL)
        closedir(stream);
    free(path);
    return count;
}

static bool count_messages(const char *queue_dir, uint64_t *count_r, struct diag *diag)
{
    char why[QUEUES_WHY_SIZE];
    struct queue_counts counts;

    if (!queues_count(queue_dir, &counts, why)) {
        diag_error(diag, queue_dir, 0, "the messages cannot be counted: %s", why);
        return false;
    }
    *count_r = queues_total(&counts) + count_maildrop(queue_dir);
    return true;
}

/* Whether text has a route that is missing in other; one for an instance that is gone may be. */
static bool loses_route(const struct work *work, const char *other, const char *text, bool may_wait)
{
    bool loses = false;
    int n;

    while (!loses && *text != '\0') {
        size_t len = strcspn(text, "\n");
        char *line = mem_printf("%.*s\n", (int)len, text);

        /* The last line, for all priorities, only repeats another's route. */
        loses = sscanf(line, "/^" PEG_ROUTE_HEADER ": %d$/", &n) == 1 &&
                strstr(other, line) == NULL && !(may_wait && work_is_gone(work, n));
        free(line);
        text += len + (text[len] == '\n');
    }
    return loses;
}

/*
 * Whether the FILTER table in a frontend's folder loses a line: Postfix has written its right side,
 * nexthop and port, into the queue file of each message that went by it. All frontends are to have
 * the same lines.
 */
static bool routes_move(const struct work *work, const char *dir, bool may_wait)
{
    const struct plan *plan = work_frontend(work)->plan;
    char *planned = mem_printf("%s/" PLAN_FILTER, plan->dir);
    char *path = mem_printf("%s/" PLAN_FILTER, dir);
    size_t len;
    char *present = file_read(path, FILES_CF_SIZE_MAX, &len);
    bool move =
        present != NULL && loses_route(work, pairs_get(&plan->files, planned), present, may_wait);

    free(planned);
    free(path);
    free(present);
    return move;
}

int64_t gone_mail(const struct work *work)
{
    struct diag diag = diag_to_stderr();
    uint64_t total = 0;
    uint64_t count;

    for (size_t i = 0; i < work->gone_count; i++) {
        if (!count_messages(work->gone[i].queue_dir, &count, &diag))
            return -1;
        total += count;
    }
    return (int64_t)total;
}

static void report_mail(const struct settings *settings, const struct work_gone *gone,
                        uint64_t count, struct diag *diag)
{
    bool is_frontend = settings_is_frontend(gone->instance);
    const char *parameter = is_frontend ? "URGENT_LISTEN" : "PRIORITY_COUNT";
    char name[SETTINGS_NAME_SIZE], value[16] = "\"\"";

    if (!is_frontend)
        snprintf(value, sizeof value, "%d", settings->priority_count);
    settings_instance_name(gone->instance, name);
    diag_error(diag, settings->file, config_line(settings, parameter),
               "%s = %s would remove %s, which has %" PRIu64
               " message%s in its queue; peg-gen apply --drain has it delivered first",
               parameter, value, name, count, count == 1 ? "" : "s");
}

static bool instances_go(const struct work *work)
{
    bool go = false;

    for (size_t i = 0; i < work->gone_count; i++)
        go = go || !settings_is_frontend(work->gone[i].instance);
    return go;
}

/* Mail in a frontend that would be bound for instances which are not there any more. */
static void check_routes(const struct work *work, int frontend, bool may_wait, struct diag *diag)
{
    const struct settings *settings = work->settings;
    char name[SETTINGS_NAME_SIZE];
    char *dir, *queue_dir;
    uint64_t count;

    settings_instance_name(frontend, name);
    dir = mem_printf("%s/etc/%s", settings->root, name);
    queue_dir = mem_printf("%s/var/spool/%s", settings->root, name);
    if (routes_move(work, dir, may_wait) && count_messages(queue_dir, &count, diag) && count > 0)
        diag_error(
            diag, settings->file,
            config_line(settings, instances_go(work) ? "PRIORITY_COUNT" : "INSTANCE_PORT_BASE"),
            "this would remove or move instances, and %s has %" PRIu64
            " message%s in its queue, perhaps bound for them; let it deliver first",
            name, count, count == 1 ? "" : "s");
    free(dir);
    free(queue_dir);
}

void gone_check(const struct work *work, bool may_wait, bool drain, struct diag *diag)
{
    uint64_t count;

    for (size_t i = 0; !drain && i < work->gone_count; i++) {
        const struct work_gone *gone = &work->gone[i];

        if (count_messages(gone->queue_dir, &count, diag) && count > 0)
            report_mail(work->settings, gone, count, diag);
    }
    for (int n = PEG_FIRST; settings_is_frontend(n); n++)
        if (settings_has(work->settings, n) || work_is_gone(work, n))
            check_routes(work, n, may_wait, diag);
}

/* With those whose numbers are below end. */
static bool with_each(const struct work *work, int end,
                      bool (*act)(const struct settings *, const struct selection *))
{
    bool good = true;

    for (size_t i = 0; i < work->gone_count; i++) {
        if (work->gone[i].instance >= end)
            continue;

        struct part part;
        struct selection selection = {.count = 1};

        part_init_instance(&part, work->settings, work->gone[i].instance);
        selection.items[0] = &part;
        good = act(work->settings, &selection) && good;
        part_deinit(&part);
    }
    return good;
}

bool gone_stop(const struct work *work)
{
    return with_each(work, SETTINGS_PRIORITY_MAX, control_stop);
}

bool gone_start(const struct work *work)
{
    return with_each(work, SETTINGS_PRIORITY_MAX, control_start);
}

bool gone_close(const struct work *work)
{
    return with_each(work, 0, control_reload);
}
