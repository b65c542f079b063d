/* decisions - the commands of peg-decisions: what the gateway remembers, and forgetting some of it
 */
#include "keeper/decisions.h"

#include <inttypes.h>
#include <stdio.h>

#include "admin/postqueue.h"
#include "keeper/frontends.h"
#include "keeper/tidy.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/options.h"
#include "lib/settings.h"
#include "lib/startup.h"
#include "store/measure.h"
#include "table/table.h"

struct paths {
    char table[PATH_MAX];
    char folder[PATH_MAX];
};

static bool find_paths(const struct settings *settings, struct paths *paths_r)
{
    if (settings_path(settings, SETTINGS_TABLE_FILE, paths_r->table) &&
        settings_path(settings, SETTINGS_STORE_DIR, paths_r->folder))
        return true;
    log_error("the path %s is too long", settings->root);
    return false;
}

static void print_value(const char *name, uint64_t value)
{
    printf("%-18s %" PRIu64 "\n", name, value);
}

static void print_table(const struct table *table)
{
    struct table_stats stats = table_stats(table);

    print_value("capacity", stats.capacity);
    print_value("live_claims", stats.claims);
    print_value("unsure", table_is_unsure(table));
    for (int n = 0; n < TABLE_COUNTERS; n++)
        print_value(table_counter_name((enum table_counter)n),
                    table_counter(table, (enum table_counter)n));
}

static bool print_store(const char *folder)
{
    struct store_size size;

    if (!store_measure(folder, &size)) {
        log_error("read %s: %m", folder);
        return false;
    }
    print_value("snapshot_bytes", size.snapshot_bytes);
    print_value("journal_segments", size.journal_segments);
    print_value("journal_bytes", size.journal_bytes);
    return true;
}

static bool print_status(const struct settings *settings, const struct paths *paths)
{
    const struct table_config config = {.path = paths->table};
    char why[TABLE_WHY_SIZE];
    struct table *table;
    bool done;

    if (!postqueue_drop_privileges(settings))
        return false;
    table = table_open(&config, TABLE_GUEST, clock_boot_ms(), why);
    if (table == NULL) {
        log_error("no decision table to be seen: %s", why);
        return false;
    }
    print_table(table);
    table_close(&table);
    done = print_store(paths->folder);
    if (fflush(stdout) != 0) {
        log_error("cannot write: %m");
        done = false;
    }
    return done;
}

int decisions_status(const struct decisions_request *request)
{
    struct diag diag = diag_to_stderr();
    struct settings *settings = settings_load(request->root, &diag);
    struct paths paths;
    bool done;

    if (settings == NULL)
        return EXIT_FAILED;
    done = startup_log(request->program, settings, true) && find_paths(settings, &paths) &&
           print_status(settings, &paths);
    settings_free(&settings);
    return done ? EXIT_DONE : EXIT_FAILED;
}

/* Where it cannot be opened, the log says so, and lines go to stderr. */
static bool open_log(const struct decisions_request *request, const struct settings *settings)
{
    if (request->log && settings->root[0] != '\0')
        return log_open(request->program, LOG_TO_OPEN_FILE, NULL);
    return (request->log && startup_log(request->program, settings, false)) ||
           startup_log(request->program, settings, true);
}

int decisions_tidy(const struct decisions_request *request)
{
    struct diag diag = diag_to_stderr();
    struct settings *settings = settings_load(request->root, &diag);
    struct tidy_config config = {.wall_ms = clock_wall_ms(), .force = request->force};
    struct tidy_result result;
    struct frontends frontends;
    struct paths paths;
    bool done;

    if (settings == NULL)
        return EXIT_FAILED;
    done = open_log(request, settings) && find_paths(settings, &paths) &&
           postqueue_drop_privileges(settings) && frontends_find(settings, &frontends);
    if (done) {
        config.table = paths.table;
        config.folder = paths.folder;
        config.frontends = frontends.items;
        config.frontend_count = frontends.count;
        done = tidy(&config, &result);
    }
    settings_free(&settings);
    return done ? EXIT_DONE : EXIT_FAILED;
}
