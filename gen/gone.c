/* gone - instances that PRIORITY_COUNT no longer includes */
#include "gen/gone.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/config_line.h"
#include "admin/mem.h"
#include "admin/part.h"
#include "ctl/control.h"
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

static bool is_gone(const struct work *work, int n)
{
    for (size_t i = 0; i < work->gone_count; i++)
        if (work->gone[i].instance == n)
            return true;
    return false;
}

/* Whether a line of the FILTER table is for an instance that is gone. */
static bool leads_to_gone(const struct work *work, const char *line)
{
    int n;

    return sscanf(line, "/^" PEG_ROUTE_HEADER ": %d$/", &n) == 1 && is_gone(work, n);
}

/* Whether a line of text is missing in other; one for an instance that is gone may be. */
static bool loses_line(const struct work *work, const char *other, const char *text, bool may_wait)
{
    bool loses = false;

    while (!loses && *text != '\0') {
        size_t len = strcspn(text, "\n");
        char *line = mem_printf("%.*s\n", (int)len, text);

        loses = strstr(other, line) == NULL && !(may_wait && leads_to_gone(work, line));
        free(line);
        text += len + (text[len] == '\n');
    }
    return loses;
}

/*
 * Whether the FILTER table loses a line: Postfix has written its right side, nexthop and port, into
 * the queue file of each message that went by it.
 */
static bool routes_move(const struct work *work, bool may_wait)
{
    const struct work_folder *frontend = work_frontend(work);
    bool move = false;

    for (size_t i = 0; i < frontend->plan->files.count; i++) {
        const struct pair *file = &frontend->plan->files.items[i];
        const char *present = pairs_get(&frontend->present.files, file->name);

        move = move || (present != NULL && loses_line(work, file->value, present, may_wait));
    }
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

void gone_check(const struct work *work, bool may_wait, bool drain, struct diag *diag)
{
    const struct settings *settings = work->settings;
    unsigned line = config_line(settings, "PRIORITY_COUNT");
    const char *queue_dir = work_frontend(work)->plan->queue_dir;
    uint64_t count;

    for (size_t i = 0; !drain && i < work->gone_count; i++) {
        const struct work_gone *gone = &work->gone[i];

        if (count_messages(gone->queue_dir, &count, diag) && count > 0)
            diag_error(diag, settings->file, line,
                       "PRIORITY_COUNT = %d would remove postfix%d, which has %" PRIu64
                       " message%s in its queue; peg-gen apply --drain has it delivered first",
                       settings->priority_count, gone->instance, count, count == 1 ? "" : "s");
    }
    if (!routes_move(work, may_wait) || !count_messages(queue_dir, &count, diag) || count == 0)
        return;
    if (work->gone_count == 0)
        line = config_line(settings, "INSTANCE_PORT_BASE");
    diag_error(diag, settings->file, line,
               "this would remove or move instances, and postfix-frontend has %" PRIu64
               " message%s in its queue, perhaps bound for them; let it deliver first",
               count, count == 1 ? "" : "s");
}

static bool with_each(const struct work *work,
                      bool (*act)(const struct settings *, const struct selection *))
{
    bool good = true;

    for (size_t i = 0; i < work->gone_count; i++) {
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
    return with_each(work, control_stop);
}

bool gone_start(const struct work *work)
{
    return with_each(work, control_start);
}
