/*
 * make_table - a gateway's decision table, full of claims, without the mail that would make them
 *
 * The claims are those of make_key() and priority_of_key(). peg-tcpmap takes the table as it finds
 * it, of whatever capacity. With MAP the same goes to a text file, as Postfix's transport(5) has
 * it.
 *
 * usage: make_table ROOT CLAIMS [MAP]
 *        (ROOT with its configuration, and the folders that a daemon makes)
 */
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/settings.h"
#include "tests/bench/claims.h"

static void give_to_owner(const char *path, const struct stat *of)
{
    if (chown(path, of->st_uid, of->st_gid) != 0)
        give_up("%s: %s", path, strerror(errno));
}

static void write_map(const char *path, unsigned claims)
{
    FILE *map = fopen(path, "we");
    char key[KEY_SIZE];

    if (map == NULL)
        give_up("%s: %s", path, strerror(errno));
    for (unsigned n = 0; n < claims; n++) {
        int priority = priority_of_key(n);

        make_key(key, n);
        fprintf(map, "%s peg%d:[127.0.0.1]:%d\n", key, priority, 20000 + priority);
    }
    if (fclose(map) != 0)
        give_up("%s: %s", path, strerror(errno));
}

int main(int argc, char **argv)
{
    struct diag diag = diag_to_stderr();
    char path[PATH_MAX], lock_path[PATH_MAX], store[PATH_MAX], why[TABLE_WHY_SIZE];
    struct table_config config = {.path = path, .lock_path = lock_path, .recover = claims_fill};
    struct settings *settings;
    struct table *table;
    struct stat owner;
    unsigned claims;

    if (argc != 3 && argc != 4)
        give_up("usage: make_table ROOT CLAIMS [MAP]");
    claims = number_of(argv[2]);
    settings = settings_load(argv[1], &diag);
    if (settings == NULL)
        return 1;
    if (!settings_path(settings, SETTINGS_TABLE_FILE, path) ||
        !settings_path(settings, SETTINGS_TABLE_LOCK, lock_path) ||
        !settings_path(settings, SETTINGS_STORE_DIR, store) || stat(store, &owner) != 0)
        give_up("%s: %s", argv[1], strerror(errno));
    unlink(path);
    config.capacity = claims;
    config.arg = &claims;
    table = table_open(&config, TABLE_WRITER, clock_boot_ms(), why);
    if (table == NULL)
        give_up("%s", why);
    if (table_stats(table).claims != claims)
        give_up("%zu claims fit, not %u", table_stats(table).claims, claims);
    table_close(&table);
    give_to_owner(path, &owner);
    give_to_owner(lock_path, &owner);
    if (argc == 4)
        write_map(argv[3], claims);
    settings_free(&settings);
    return 0;
}
