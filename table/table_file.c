/* table_file - the decision table's file: made, checked, mapped, replaced */
#include "table/table_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

enum { TABLE_VERSION = 3, HEADER_SIZE = 4096 };

static const char table_magic[8] = "PEGTABLE";

static void read_boot_id(char boot_id_r[TABLE_BOOT_ID_SIZE])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    memset(boot_id_r, 0, TABLE_BOOT_ID_SIZE);
    if (file != NULL) {
        if (fgets(boot_id_r, TABLE_BOOT_ID_SIZE, file) != NULL)
            boot_id_r[strcspn(boot_id_r, "\n")] = '\0';
        fclose(file);
    }
}

static size_t file_size(size_t capacity)
{
    return HEADER_SIZE + sizeof(struct slots_shared) + slots_needed(capacity) * sizeof(struct slot);
}

/* The view of mapped memory whose header says how many claims fit. */
static struct table_map view(void *start, size_t len)
{
    unsigned char *bytes = start;
    struct table_map map = {.start = start, .len = len, .header = start};

    map.slots.shared = (struct slots_shared *)(void *)(bytes + HEADER_SIZE);
    map.slots.slot = (struct slot *)(void *)(bytes + HEADER_SIZE + sizeof(struct slots_shared));
    map.slots.capacity = (size_t)map.header->capacity;
    map.slots.count = slots_needed(map.slots.capacity);
    return map;
}

static enum table_found examine(const struct table_header *header, size_t size,
                                const char **problem_r)
{
    char boot_id[TABLE_BOOT_ID_SIZE];

    *problem_r = "it is damaged";
    if (memcmp(header->magic, table_magic, sizeof table_magic) != 0)
        return TABLE_DAMAGED;
    *problem_r = "it is of another version";
    if (header->version != TABLE_VERSION || header->slot_size != sizeof(struct slot))
        return TABLE_OTHER_VERSION;
    *problem_r = "its size does not fit what it says";
    if (header->capacity == 0 || header->capacity > SIZE_MAX / sizeof(struct slot) / 2 ||
        file_size((size_t)header->capacity) != size)
        return TABLE_DAMAGED;
    *problem_r = "it is from before the last boot";
    read_boot_id(boot_id);
    /* What was written to a mapped file before a crash of the machine may be there or not. */
    if (memcmp(header->boot_id, boot_id, sizeof boot_id) != 0)
        return TABLE_OTHER_BOOT;
    return TABLE_FOUND;
}

/* Map the whole file: TABLE_FOUND, whatever is in it, or why not. */
static enum table_found map_whole(const char *path, struct stat *status_r, void **start_r,
                                  char why_r[TABLE_WHY_SIZE])
{
    enum table_found found = TABLE_UNREADABLE;
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0) {
        found = errno == ENOENT ? TABLE_ABSENT : TABLE_UNREADABLE;
        snprintf(why_r, TABLE_WHY_SIZE, "open %s: %m", path);
        return found;
    }
    if (fstat(fd, status_r) != 0) {
        snprintf(why_r, TABLE_WHY_SIZE, "look at %s: %m", path);
    } else if (status_r->st_size < HEADER_SIZE) {
        snprintf(why_r, TABLE_WHY_SIZE, "%s: it is too short", path);
        found = TABLE_DAMAGED;
    } else {
        *start_r = mmap(NULL, (size_t)status_r->st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (*start_r != MAP_FAILED)
            found = TABLE_FOUND;
        else
            snprintf(why_r, TABLE_WHY_SIZE, "map %s: %m", path);
    }
    close(fd);
    return found;
}

enum table_found table_file_map(const char *path, struct table_map *map_r,
                                char why_r[TABLE_WHY_SIZE])
{
    struct stat status;
    const char *problem;
    void *start;
    enum table_found found = map_whole(path, &status, &start, why_r);

    if (found != TABLE_FOUND)
        return found;
    found = examine(start, (size_t)status.st_size, &problem);
    if (found != TABLE_FOUND) {
        snprintf(why_r, TABLE_WHY_SIZE, "%s: %s", path, problem);
        munmap(start, (size_t)status.st_size);
        return found;
    }
    *map_r = view(start, (size_t)status.st_size);
    map_r->device = status.st_dev;
    map_r->inode = status.st_ino;
    return TABLE_FOUND;
}

void table_file_unmap(struct table_map *map)
{
    if (map->start != NULL)
        munmap(map->start, map->len);
    *map = (struct table_map){0};
}

bool table_file_is_mapped(const char *path, const struct table_map *map)
{
    struct stat status;

    return stat(path, &status) == 0 && status.st_dev == map->device && status.st_ino == map->inode;
}

struct slots_hash table_file_hash(const struct table_map *map, const char *key, size_t key_len)
{
    struct slots_hash hash;

    crypto_shorthash_siphashx24((unsigned char *)hash.part, (const unsigned char *)key, key_len,
                                map->header->hash_key);
    return hash;
}

struct table_fill {
    struct table_map map;
    int64_t now_ms;
    size_t left_out;
};

void table_fill_claim(struct table_fill *fill, const char *key, size_t key_len, int priority)
{
    struct slots_hash hash = table_file_hash(&fill->map, key, key_len);

    if (!slots_set(&fill->map.slots, &hash, priority, fill->now_ms))
        fill->left_out++;
}

void table_fill_is_unsure(struct table_fill *fill)
{
    slots_be_unsure(&fill->map.slots);
}

static bool fill_slots(struct table_fill *fill, const struct table_contents *contents,
                       char why_r[TABLE_WHY_SIZE])
{
    const struct table_config *config = contents->config;

    if (contents->old != NULL)
        fill->left_out = slots_adopt(&fill->map.slots, &contents->old->slots);
    else if (config->recover != NULL && !config->recover(config->arg, fill, why_r))
        return false;
    if (fill->left_out > 0) {
        log_warn("TABLE_CAPACITY %zu is too small: %zu decisions found no room",
                 fill->map.slots.capacity, fill->left_out);
        slots_be_unsure(&fill->map.slots);
    }
    return true;
}

/*
 * The table before this one may have answered until this one takes its place, which is now, and its
 * misses and claims were read earlier.
 */
static void note_predecessor(const struct table_fill *fill, int64_t began_ms)
{
    _Atomic int64_t *until_ms = &fill->map.slots.shared->unknown_until_ms;
    int64_t made_ms = fill->now_ms + clock_boot_ms() - began_ms;

    /* Relaxed: it is not shared yet. What was adopted may say a later time. */
    if (made_ms > atomic_load_explicit(until_ms, memory_order_relaxed))
        atomic_store_explicit(until_ms, made_ms, memory_order_relaxed);
}

/* Fill a new file: the header, and the claims that it begins with. */
static bool fill_file(int fd, size_t capacity, const struct table_contents *contents,
                      char why_r[TABLE_WHY_SIZE])
{
    size_t size = file_size(capacity);
    struct table_header header = {
        .version = TABLE_VERSION, .slot_size = sizeof(struct slot), .capacity = capacity};
    struct table_fill fill = {.now_ms = contents->now_ms};
    int64_t began_ms = clock_boot_ms();
    void *start;
    int error = posix_fallocate(fd, 0, (off_t)size); /* no SIGBUS on a full disk later */
    bool done;

    if (error != 0) {
        snprintf(why_r, TABLE_WHY_SIZE, "no room for %zu bytes: %s", size, strerror(error));
        return false;
    }
    start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (start == MAP_FAILED) {
        snprintf(why_r, TABLE_WHY_SIZE, "map %zu bytes: %m", size);
        return false;
    }
    memcpy(header.magic, table_magic, sizeof table_magic);
    read_boot_id(header.boot_id);
    if (contents->old != NULL)
        memcpy(header.hash_key, contents->old->header->hash_key, TABLE_HASH_KEY_SIZE);
    else
        randombytes_buf(header.hash_key, TABLE_HASH_KEY_SIZE);
    memcpy(start, &header, sizeof header);
    fill.map = view(start, size);
    done = fill_slots(&fill, contents, why_r);
    if (!contents->is_first)
        note_predecessor(&fill, began_ms);
    munmap(start, size);
    return done;
}

/* A damaged table is kept for who wants to know why. One is enough: it may be large. */
static void set_aside(const char *path)
{
    char aside[PATH_MAX];
    int len = snprintf(aside, sizeof aside, "%s.damaged", path);

    if (len > 0 && (size_t)len < sizeof aside && rename(path, aside) == 0)
        log_warn("%s is set aside as %s", path, aside);
}

bool table_file_make(const char *path, size_t capacity, const struct table_contents *contents,
                     char why_r[TABLE_WHY_SIZE])
{
    char temporary[PATH_MAX];
    bool done = false;
    int len = snprintf(temporary, sizeof temporary, "%s.new", path);
    int fd;

    if (len < 0 || (size_t)len >= sizeof temporary) {
        snprintf(why_r, TABLE_WHY_SIZE, "the path is too long");
        return false;
    }
    unlink(temporary); /* left behind by one that was killed: there is one maker at a time */
    fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        snprintf(why_r, TABLE_WHY_SIZE, "create %s.new: %m", path);
        return false;
    }
    if (fill_file(fd, capacity, contents, why_r)) {
        if (contents->found == TABLE_DAMAGED)
            set_aside(path);
        done = rename(temporary, path) == 0;
        if (!done)
            snprintf(why_r, TABLE_WHY_SIZE, "create %s: %m", path);
    }
    close(fd);
    if (!done)
        unlink(temporary);
    return done;
}

int table_file_open_lock(const char *path, char why_r[TABLE_WHY_SIZE])
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        snprintf(why_r, TABLE_WHY_SIZE, "open %s: %m", path);
    return fd;
}

bool table_file_is_first(int lock_fd)
{
    char now[TABLE_BOOT_ID_SIZE], last[TABLE_BOOT_ID_SIZE] = "";

    read_boot_id(now);
    if (pread(lock_fd, last, sizeof last, 0) == sizeof last && memcmp(now, last, sizeof now) == 0)
        return false;
    if (pwrite(lock_fd, now, sizeof now, 0) != sizeof now)
        log_warn("the decision table's lock file cannot be written: %m; do not remove the table "
                 "while Postfix runs");
    return true;
}

/* Each lock is one byte of the file. Open file description locks: threads exclude each other, too.
 */
static struct flock lock_range(enum table_lock lock, short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)lock, .l_len = 1};
}

bool table_file_lock(int fd, enum table_lock lock, bool wait)
{
    struct flock range = lock_range(lock, F_WRLCK);
    int result;

    do
        result = fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &range);
    while (result != 0 && errno == EINTR);
    return result == 0;
}

void table_file_unlock(int fd, enum table_lock lock)
{
    struct flock range = lock_range(lock, F_UNLCK);

    (void)fcntl(fd, F_OFD_SETLK, &range);
}

bool table_file_is_locked(int fd, enum table_lock lock)
{
    struct flock range = lock_range(lock, F_WRLCK);

    return fcntl(fd, F_OFD_GETLK, &range) != 0 || range.l_type != F_UNLCK;
}
