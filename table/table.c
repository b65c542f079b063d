/*
 * table - the decision table's file: made, checked, mapped, replaced
 *
 * File: struct table_header, padded to a page; struct slots_shared; the slots. A file is complete
 * before it gets its name, so that no process ever maps half a table.
 */
#include "table/table.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "table/slots.h"

enum {
    TABLE_VERSION = 1,
    HEADER_SIZE = 4096,
    BOOT_ID_SIZE = 40,
    KEY_SIZE = crypto_shorthash_siphashx24_KEYBYTES
};

static const char table_magic[8] = "PEGTABLE";

struct table_header {
    char magic[8];
    uint32_t version;
    uint32_t slot_size;
    uint64_t capacity;
    unsigned char hash_key[KEY_SIZE]; /* secret: strangers choose addresses */
    char boot_id[BOOT_ID_SIZE];       /* times in the slots count from this boot */
};

struct table {
    struct slots slots;
    const struct table_header *header;
    void *map;
    size_t map_len;
    pthread_mutex_t claiming; /* of the threads of the writer */
    char *path;
    dev_t device;
    ino_t inode;
    int lock_fd; /* the writer's; -1 in a reader */
};

static void read_boot_id(char boot_id_r[BOOT_ID_SIZE])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    memset(boot_id_r, 0, BOOT_ID_SIZE);
    if (file != NULL) {
        if (fgets(boot_id_r, BOOT_ID_SIZE, file) != NULL)
            boot_id_r[strcspn(boot_id_r, "\n")] = '\0';
        fclose(file);
    }
}

static size_t file_size(size_t capacity)
{
    return HEADER_SIZE + sizeof(struct slots_shared) + slots_needed(capacity) * sizeof(struct slot);
}

/* Give the handle its view of the mapped memory, whose header says how many claims fit. */
static void set_view(struct table *table, void *map, size_t map_len)
{
    unsigned char *start = map;

    table->map = map;
    table->map_len = map_len;
    table->header = map;
    table->slots.shared = (struct slots_shared *)(void *)(start + HEADER_SIZE);
    table->slots.slot = (struct slot *)(void *)(start + HEADER_SIZE + sizeof(struct slots_shared));
    table->slots.capacity = (size_t)table->header->capacity;
    table->slots.count = slots_needed(table->slots.capacity);
}

static const char *header_problem(const struct table_header *header, size_t size)
{
    if (memcmp(header->magic, table_magic, sizeof table_magic) != 0)
        return "it is damaged";
    if (header->version != TABLE_VERSION || header->slot_size != sizeof(struct slot))
        return "it is of another version";
    if (header->capacity == 0 || header->capacity > SIZE_MAX / sizeof(struct slot) / 2 ||
        file_size((size_t)header->capacity) != size)
        return "its size does not fit what it says";
    return NULL;
}

/* Map an existing file. 1 done; 0 there is none; -1 it cannot be used, for the reason in why_r. */
static int map_file(struct table *table, char why_r[TABLE_WHY_SIZE])
{
    int fd = open(table->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct stat status;
    void *map;
    const char *problem;

    if (fd < 0) {
        if (errno == ENOENT)
            return 0;
        snprintf(why_r, TABLE_WHY_SIZE, "open %s: %m", table->path);
        return -1;
    }
    if (fstat(fd, &status) != 0 || status.st_size < HEADER_SIZE) {
        snprintf(why_r, TABLE_WHY_SIZE, "%s: it is too short", table->path);
        close(fd);
        return -1;
    }
    map = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map == MAP_FAILED) {
        snprintf(why_r, TABLE_WHY_SIZE, "map %s: %m", table->path);
        return -1;
    }
    problem = header_problem(map, (size_t)status.st_size);
    if (problem != NULL) {
        snprintf(why_r, TABLE_WHY_SIZE, "%s: %s", table->path, problem);
        munmap(map, (size_t)status.st_size);
        return -1;
    }
    table->device = status.st_dev;
    table->inode = status.st_ino;
    set_view(table, map, (size_t)status.st_size);
    return 1;
}

/* Fill a new file: the header, and the claims of old (may be NULL). */
static bool fill_file(int fd, size_t capacity, const struct table *old, int64_t now_ms,
                      char why_r[TABLE_WHY_SIZE])
{
    size_t size = file_size(capacity);
    struct table_header header = {
        .version = TABLE_VERSION, .slot_size = sizeof(struct slot), .capacity = capacity};
    struct table filled = {.lock_fd = -1};
    void *map;
    int error = posix_fallocate(fd, 0, (off_t)size); /* no SIGBUS on a full disk later */

    if (error != 0) {
        snprintf(why_r, TABLE_WHY_SIZE, "no room for %zu bytes: %s", size, strerror(error));
        return false;
    }
    map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        snprintf(why_r, TABLE_WHY_SIZE, "map %zu bytes: %m", size);
        return false;
    }
    memcpy(header.magic, table_magic, sizeof table_magic);
    read_boot_id(header.boot_id);
    if (old != NULL)
        memcpy(header.hash_key, old->header->hash_key, KEY_SIZE);
    else
        randombytes_buf(header.hash_key, KEY_SIZE);
    memcpy(map, &header, sizeof header);
    set_view(&filled, map, size);
    if (old != NULL) {
        bool same_boot = strcmp(old->header->boot_id, header.boot_id) == 0;
        size_t left_out = slots_adopt(&filled.slots, &old->slots, !same_boot, now_ms);

        if (left_out > 0)
            log_warn("TABLE_CAPACITY %zu is too small: %zu decisions are lost, their mail goes by "
                     "the default priority",
                     capacity, left_out);
    }
    munmap(map, size);
    return true;
}

/* Make a new file under the table's name; replace an old one, or else yield to one just made. */
static bool make_file(const struct table *table, size_t capacity, const struct table *old,
                      bool replace, int64_t now_ms, char why_r[TABLE_WHY_SIZE])
{
    char temporary[PATH_MAX];
    bool done = false;
    int len = snprintf(temporary, sizeof temporary, "%s.XXXXXX", table->path);
    int fd;

    if (len < 0 || (size_t)len >= sizeof temporary) {
        snprintf(why_r, TABLE_WHY_SIZE, "the path is too long");
        return false;
    }
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        snprintf(why_r, TABLE_WHY_SIZE, "create a new %s: %m", table->path);
        return false;
    }
    if (fill_file(fd, capacity, old, now_ms, why_r)) {
        done = replace ? rename(temporary, table->path) == 0
                       : link(temporary, table->path) == 0 || errno == EEXIST;
        if (!done)
            snprintf(why_r, TABLE_WHY_SIZE, "create %s: %m", table->path);
    }
    close(fd);
    if (!done || !replace)
        unlink(temporary);
    return done;
}

/* One writer at a time, whichever file has the name just now. */
static bool lock_writer(struct table *table, char why_r[TABLE_WHY_SIZE])
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s.lock", table->path);

    if (len < 0 || (size_t)len >= sizeof path)
        return false;
    table->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (table->lock_fd >= 0 && flock(table->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno == EWOULDBLOCK)
        snprintf(why_r, TABLE_WHY_SIZE, "%s: another process is writing to this table",
                 table->path);
    else
        snprintf(why_r, TABLE_WHY_SIZE, "lock %s.lock: %m", table->path);
    return false;
}

/* The writer's part: a table that cannot be used as it is gets replaced. */
static bool renew(struct table *table, size_t capacity, int64_t now_ms, char why_r[TABLE_WHY_SIZE])
{
    struct table old = *table;
    char boot_id[BOOT_ID_SIZE];
    int mapped = table->map != NULL;
    bool made;

    read_boot_id(boot_id);
    if (mapped && table->header->capacity == capacity &&
        strcmp(table->header->boot_id, boot_id) == 0)
        return true;
    made = make_file(table, capacity, mapped ? &old : NULL, true, now_ms, why_r);
    if (mapped)
        munmap(old.map, old.map_len);
    table->map = NULL;
    return made && map_file(table, why_r) == 1;
}

struct table *table_open(const char *path, enum table_role role, size_t capacity, int64_t now_ms,
                         char why_r[TABLE_WHY_SIZE])
{
    struct table *table = calloc(1, sizeof *table);
    int mapped;

    snprintf(why_r, TABLE_WHY_SIZE, "out of memory");
    if (table == NULL)
        return NULL;
    table->lock_fd = -1;
    if ((table->path = strdup(path)) == NULL || sodium_init() < 0)
        goto fail;
    pthread_mutex_init(&table->claiming, NULL);
    if (role == TABLE_WRITER && !lock_writer(table, why_r))
        goto fail;
    mapped = map_file(table, why_r);
    if (mapped == 0 && make_file(table, capacity, NULL, false, now_ms, why_r))
        mapped = map_file(table, why_r);
    if (role == TABLE_WRITER) {
        if (mapped < 0)
            log_warn("decision table is made anew, earlier decisions are lost: %s", why_r);
        if (!renew(table, capacity, now_ms, why_r))
            goto fail;
    } else if (mapped != 1) {
        goto fail;
    }
    return table;
fail:
    table_close(&table);
    return NULL;
}

void table_close(struct table **table_ptr)
{
    struct table *table = *table_ptr;

    *table_ptr = NULL;
    if (table == NULL)
        return;
    if (table->map != NULL)
        munmap(table->map, table->map_len);
    if (table->lock_fd >= 0)
        close(table->lock_fd);
    free(table->path);
    free(table);
}

bool table_is_current(const struct table *table)
{
    struct stat status;

    return stat(table->path, &status) == 0 && status.st_dev == table->device &&
           status.st_ino == table->inode;
}

static struct slots_hash hash_key(const struct table *table, const char *key, size_t key_len)
{
    struct slots_hash hash;

    crypto_shorthash_siphashx24((unsigned char *)hash.part, (const unsigned char *)key, key_len,
                                table->header->hash_key);
    return hash;
}

int table_lookup(struct table *table, const char *key, size_t key_len, int default_priority,
                 int64_t now_ms, int *priority_r)
{
    struct slots_hash hash = hash_key(table, key, key_len);

    return slots_lookup(&table->slots, &hash, default_priority, now_ms, priority_r);
}

int table_peek(const struct table *table, const char *key, size_t key_len, int *priority_r)
{
    struct slots_hash hash = hash_key(table, key, key_len);

    return slots_peek(&table->slots, &hash, priority_r);
}

enum table_claim table_claim(struct table *table, const char *key, size_t key_len, int priority,
                             int64_t lifetime_ms, int64_t now_ms)
{
    struct slots_hash hash = hash_key(table, key, key_len);
    enum table_claim result;

    pthread_mutex_lock(&table->claiming);
    result = slots_claim(&table->slots, &hash, priority, lifetime_ms, now_ms);
    pthread_mutex_unlock(&table->claiming);
    return result;
}

struct table_stats table_stats(const struct table *table)
{
    return (struct table_stats){
        .capacity = table->slots.capacity,
        .claims = (size_t)atomic_load_explicit(&table->slots.shared->claims, memory_order_relaxed)};
}
