/* gone - instances that PRIORITY_COUNT no longer includes */
#include "gen/gone.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gen/config_line.h"
#include "gen/control.h"
#include "gen/files.h"
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

/* The messages of an instance; one that was never started has no queues, and so none. */
static bool count_messages(const char *queue_dir, uint64_t *count_r, struct diag *diag)
{
    char why[QUEUES_WHY_SIZE];
    struct queue_counts counts;
    char *incoming = mem_printf("%s/incoming", queue_dir);
    bool started = files_is_folder(incoming);
    bool good = !started || queues_count(queue_dir, &counts, why);

    free(incoming);
    if (!good)
        diag_error(diag, queue_dir, 0, "the messages cannot be counted: %s", why);
    else
        *count_r = started ? queues_total(&counts) + count_maildrop(queue_dir) : 0;
    return good;
}

void gone_check(const struct work *work, struct diag *diag)
{
    const struct settings *settings = work->settings;
    unsigned line = config_line(settings, "PRIORITY_COUNT");
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
    if (work->gone_count > 0 &&
        count_messages(work_frontend(work)->plan->queue_dir, &count, diag) && count > 0)
        diag_error(diag, settings->file, line,
                   "PRIORITY_COUNT = %d would remove instances, and postfix-frontend has %" PRIu64
                   " message%s in its queue, perhaps bound for them; let it deliver first",
                   settings->priority_count, count, count == 1 ? "" : "s");
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
