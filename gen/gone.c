/* gone - instances that PRIORITY_COUNT no longer includes */
#include "gen/gone.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/config_line.h"
#include "gen/control.h"
#include "gen/mem.h"
#include "gen/part.h"
#include "monitor/queues.h"

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

/* Whether each line of text stands in other, too. */
static bool has_all_lines(const char *other, const char *text)
{
    bool all = true;

    while (all && *text != '\0') {
        size_t len = strcspn(text, "\n");
        char *line = mem_printf("%.*s\n", (int)len, text);

        all = strstr(other, line) != NULL;
        free(line);
        text += len + (text[len] == '\n');
    }
    return all;
}

/*
 * Whether the FILTER table loses a line: Postfix has written its right side, nexthop and port, into
 * the queue file of each message that went by it.
 */
static bool routes_move(const struct work_folder *frontend)
{
    bool move = false;

    for (size_t i = 0; i < frontend->plan->files.count; i++) {
        const struct pair *file = &frontend->plan->files.items[i];
        const char *present = pairs_get(&frontend->present.files, file->name);

        move = move || (present != NULL && !has_all_lines(file->value, present));
    }
    return move;
}

void gone_check(const struct work *work, struct diag *diag)
{
    const struct settings *settings = work->settings;
    unsigned line = config_line(settings, "PRIORITY_COUNT");
    const struct work_folder *frontend = work_frontend(work);
    uint64_t count;

    for (size_t i = 0; i < work->gone_count; i++) {
        const struct work_gone *gone = &work->gone[i];

        if (count_messages(gone->queue_dir, &count, diag) && count > 0)
            diag_error(diag, settings->file, line,
                       "PRIORITY_COUNT = %d would remove postfix%d, which has %" PRIu64
                       " message%s in its queue; let it deliver first (postqueue -c %s -f)",
                       settings->priority_count, gone->instance, count, count == 1 ? "" : "s",
                       gone->dir);
    }
    if (!routes_move(frontend) || !count_messages(frontend->plan->queue_dir, &count, diag) ||
        count == 0)
        return;
    if (work->gone_count == 0)
        line = config_line(settings, "INSTANCE_PORT_BASE");
    diag_error(diag, settings->file, line,
               "this would remove or move instances, and postfix-frontend has %" PRIu64
               " message%s in its queue, perhaps bound for them; let it deliver first",
               count, count == 1 ? "" : "s");
}

bool gone_stop(const struct work *work)
{
    bool good = true;

    for (size_t i = 0; i < work->gone_count; i++) {
        struct part part;
        struct selection selection = {.count = 1};

        part_init_instance(&part, work->settings, work->gone[i].instance);
        selection.items[0] = &part;
        good = control_stop(&selection) && good;
        part_deinit(&part);
    }
    return good;
}
