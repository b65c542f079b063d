/* tallies - what the daemons of a gateway have counted */
#include "metrics/tallies.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "bounce/state.h"
#include "lib/clock.h"

static void take_table(const struct settings *settings, struct tallies *tallies)
{
    char path[PATH_MAX], why[TABLE_WHY_SIZE];
    const struct table_config config = {.path = path};
    struct table *table;

    if (!settings_path(settings, SETTINGS_TABLE_FILE, path))
        return;
    table = table_open(&config, TABLE_GUEST, clock_boot_ms(), why);
    if (table == NULL)
        return;
    tallies->has_table = true;
    tallies->table = table_stats(table);
    tallies->is_unsure = table_is_unsure(table);
    for (int n = 0; n < TABLE_COUNTERS; n++)
        tallies->counters[n] = table_counter(table, (enum table_counter)n);
    table_close(&table);
}

static void take_store(const struct settings *settings, struct tallies *tallies)
{
    char folder[PATH_MAX];

    tallies->has_store = settings_path(settings, SETTINGS_STORE_DIR, folder) &&
                         store_measure(folder, &tallies->store);
}

/* Before the first bounce there may be no folder. */
static void take_bounces(const struct settings *settings, int instance,
                         struct tally_bounces *bounces)
{
    char name[SETTINGS_NAME_SIZE], dir[PATH_MAX];
    int dir_fd;

    settings_instance_name(instance, name);
    if (!state_dir(settings, name, dir))
        return;
    dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bounces->is_known = dir_fd >= 0 ? counts_read(dir_fd, &bounces->counts) >= 0 : errno == ENOENT;
    if (dir_fd >= 0)
        close(dir_fd);
}

void tallies_take(const struct settings *settings, struct tallies *tallies_r)
{
    *tallies_r = (struct tallies){.has_table = false};
    take_table(settings, tallies_r);
    take_store(settings, tallies_r);
    for (int n = PEG_FIRST; n < settings->priority_count; n++)
        if (settings_has(settings, n))
            take_bounces(settings, n, &tallies_r->bounces[n - PEG_FIRST]);
}

const struct tally_bounces *tallies_bounces(const struct tallies *tallies, int instance)
{
    return &tallies->bounces[instance - PEG_FIRST];
}
