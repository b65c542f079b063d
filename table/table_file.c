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

#include "lib/log.h"

enum { TABLE_VERSION = 1, HEADER_SIZE = 4096 };

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

int table_file_map(const char *path, struct table_map *map_r, char why_r[TABLE_WHY_SIZE])
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct stat status;
    void *start;
    const char *problem;

    if (fd < 0) {
        if (errno == ENOENT)
            return 0;
        snprintf(why_r, TABLE_WHY_SIZE, "open %s: %m", path);
        return -1;
    }
    if (fstat(fd, &status) != 0 || status.st_size < HEADER_SIZE) {
        snprintf(why_r, TABLE_WHY_SIZE, "%s: it is too short", path);
        close(fd);
        return -1;
    }
    start = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (start == MAP_FAILED) {
        snprintf(why_r, TABLE_WHY_SIZE, "map %s: %m", path);
        return -1;
    }
    problem = header_problem(start, (size_t)status.st_size);
    if (problem != NULL) {
        snprintf(why_r, TABLE_WHY_SIZE, "%s: %s", path, problem);
        munmap(start, (size_t)status.st_size);
        return -1;
    }
    *map_r = view(start, (size_t)status.st_size);
    map_r->device = status.st_dev;
    map_r->inode = status.st_ino;
    return 1;
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

bool table_file_is_of_this_boot(const struct table_map *map)
{
    char boot_id[TABLE_BOOT_ID_SIZE];

    read_boot_id(boot_id);
    return strcmp(map->header->boot_id, boot_id) == 0;
}

static void adopt(struct table_map *map, const struct table_map *old, int64_t now_ms)
{
    bool used_now = !table_file_is_of_this_boot(old);
    size_t left_out = slots_adopt(&map->slots, &old->slots, used_now, now_ms);

    if (left_out > 0)
        log_warn("TABLE_CAPACITY %zu is too small: %zu decisions are lost, their mail goes by the "
                 "default priority",
                 map->slots.capacity, left_out);
}

/* Fill a new file: the header, and the claims of old (may be NULL). */
static bool fill_file(int fd, size_t capacity, const struct table_map *old, int64_t now_ms,
                      char why_r[TABLE_WHY_SIZE])
{
    size_t size = file_size(capacity);
    struct table_header header = {
        .version = TABLE_VERSION, .slot_size = sizeof(struct slot), .capacity = capacity};
    struct table_map map;
    void *start;
    int error = posix_fallocate(fd, 0, (off_t)size); /* no SIGBUS on a full disk later */

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
    if (old != NULL)
        memcpy(header.hash_key, old->header->hash_key, TABLE_HASH_KEY_SIZE);
    else
        randombytes_buf(header.hash_key, TABLE_HASH_KEY_SIZE);
    memcpy(start, &header, sizeof header);
    map = view(start, size);
    if (old != NULL)
        adopt(&map, old, now_ms);
    munmap(start, size);
    return true;
}

bool table_file_make(const char *path, size_t capacity, const struct table_map *old, bool replace,
                     int64_t now_ms, char why_r[TABLE_WHY_SIZE])
{
    char temporary[PATH_MAX];
    bool done = false;
    int len = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    int fd;

    if (len < 0 || (size_t)len >= sizeof temporary) {
        snprintf(why_r, TABLE_WHY_SIZE, "the path is too long");
        return false;
    }
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        snprintf(why_r, TABLE_WHY_SIZE, "create a new %s: %m", path);
        return false;
    }
    if (fill_file(fd, capacity, old, now_ms, why_r)) {
        done =
            replace ? rename(temporary, path) == 0 : link(temporary, path) == 0 || errno == EEXIST;
        if (!done)
            snprintf(why_r, TABLE_WHY_SIZE, "create %s: %m", path);
    }
    close(fd);
    if (!done || !replace)
        unlink(temporary);
    return done;
}

static int open_lock(const char *path, int flags)
{
    char lock[PATH_MAX];
    int len = snprintf(lock, sizeof lock, "%s.lock", path);

    if (len < 0 || (size_t)len >= sizeof lock) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(lock, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
}

int table_file_lock(const char *path, char why_r[TABLE_WHY_SIZE])
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open_lock(path, O_CREAT);

    if (fd >= 0 && fcntl(fd, F_OFD_SETLK, &whole) == 0)
        return fd;
    if (fd >= 0 && (errno == EAGAIN || errno == EACCES))
        snprintf(why_r, TABLE_WHY_SIZE, "%s: another process is writing to this table", path);
    else
        snprintf(why_r, TABLE_WHY_SIZE, "lock %s.lock: %m", path);
    if (fd >= 0)
        close(fd);
    return -1;
}

bool table_file_is_locked(const char *path)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open_lock(path, 0);
    bool locked = fd >= 0 && fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;

    if (fd >= 0)
        close(fd);
    return locked;
}
