/*
 * bench_memory - how much shared memory a live claim takes
 *
 * For each capacity what the table's file takes, all of it allocated, once it holds as many claims
 * as it has room for.
 *
 * usage: bench_memory FOLDER CAPACITY...    (a folder in memory; it is left empty)
 */
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/bench/claims.h"

enum { NOW_MS = 1000, LIFETIME_MS = 660000 };

/* That the claims are in it, and that there is no room for one more. */
static void check(struct table *table, unsigned capacity)
{
    char key[KEY_SIZE];
    size_t len = make_key(key, capacity);

    if (table_stats(table).claims != capacity ||
        table_claim(table, key, len, 0, LIFETIME_MS, NOW_MS) != TABLE_FULL)
        give_up("%zu claims fit, not %u", table_stats(table).claims, capacity);
}

static void measure(const char *path, const char *lock_path, unsigned capacity)
{
    const struct table_config config = {.path = path,
                                        .lock_path = lock_path,
                                        .capacity = capacity,
                                        .recover = claims_fill,
                                        .arg = &capacity};
    char why[TABLE_WHY_SIZE];
    struct table *table = table_open(&config, TABLE_WRITER, NOW_MS, why);
    struct stat status;

    if (table == NULL)
        give_up("%s", why);
    check(table, capacity);
    if (stat(path, &status) != 0)
        give_up("%s: %s", path, strerror(errno));
    if ((uint64_t)status.st_blocks * 512 < (uint64_t)status.st_size)
        give_up("%s is not all allocated", path);
    print_count("capacity", capacity);
    print_count("file_bytes", (uint64_t)status.st_size);
    table_close(&table);
    unlink(path);
    unlink(lock_path); /* it knows that there was a table; the next one is the first again */
}

int main(int argc, char **argv)
{
    char path[PATH_MAX], lock_path[PATH_MAX];

    if (argc < 3)
        give_up("usage: bench_memory FOLDER CAPACITY...");
    snprintf(path, sizeof path, "%s/decisions", argv[1]);
    snprintf(lock_path, sizeof lock_path, "%s/lock", argv[1]);
    for (int n = 2; n < argc; n++)
        measure(path, lock_path, number_of(argv[n]));
    return 0;
}
