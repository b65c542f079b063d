/* folder - the files of the store: names, order, locks */
#include "store/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/iso_time.h"
#include "lib/log.h"

enum { SEGMENT_NAME_SIZE = 32, SET_ASIDE_MAX = 100 };

#define SEGMENT_PREFIX "journal."

bool folder_path(const char *folder, const char *name, char path_r[PATH_MAX])
{
    int len = snprintf(path_r, PATH_MAX, "%s/%s", folder, name);

    if (len >= 0 && len < PATH_MAX)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

static void segment_name(uint64_t number, char name_r[SEGMENT_NAME_SIZE])
{
    snprintf(name_r, SEGMENT_NAME_SIZE, SEGMENT_PREFIX "%010" PRIu64, number);
}

bool folder_segment_path(const char *folder, uint64_t number, char path_r[PATH_MAX])
{
    char name[SEGMENT_NAME_SIZE];

    segment_name(number, name);
    return folder_path(folder, name, path_r);
}

/* Whether this is the name of a segment, to the letter. */
static bool is_segment(const char *name, uint64_t *number_r)
{
    char exact[SEGMENT_NAME_SIZE];

    if (strncmp(name, SEGMENT_PREFIX, sizeof SEGMENT_PREFIX - 1) != 0)
        return false;
    *number_r = strtoull(name + sizeof SEGMENT_PREFIX - 1, NULL, 10);
    segment_name(*number_r, exact);
    return *number_r > 0 && *number_r < UINT64_MAX && strcmp(name, exact) == 0;
}

static int compare_numbers(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

static bool add_number(uint64_t **numbers, size_t *count, size_t *room, uint64_t number)
{
    if (*count == *room) {
        size_t larger = *room * 2 + 16;
        uint64_t *moved = realloc(*numbers, larger * sizeof *moved);

        if (moved == NULL)
            return false;
        *numbers = moved;
        *room = larger;
    }
    (*numbers)[(*count)++] = number;
    return true;
}

bool folder_segments(const char *folder, uint64_t **numbers_r, size_t *count_r)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry = NULL;
    uint64_t *numbers = NULL, number;
    size_t count = 0, room = 0;
    int error;

    if (dir == NULL)
        return false;
    do {
        errno = 0;
        entry = readdir(dir);
    } while (entry != NULL &&
             (!is_segment(entry->d_name, &number) || add_number(&numbers, &count, &room, number)));
    error = entry != NULL ? ENOMEM : errno;
    closedir(dir);
    if (error != 0) {
        free(numbers);
        errno = error;
        return false;
    }
    if (count > 0)
        qsort(numbers, count, sizeof *numbers, compare_numbers);
    *numbers_r = numbers;
    *count_r = count;
    return true;
}

static int open_folder(const char *folder)
{
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* On the folder itself, since a file for it would belong to whoever came first. */
int folder_lock(const char *folder, enum folder_lock how, char why_r[FOLDER_WHY_SIZE])
{
    int fd = open_folder(folder);

    if (fd < 0) {
        snprintf(why_r, FOLDER_WHY_SIZE, "open %s: %m", folder);
        return -1;
    }
    while (flock(fd, how == FOLDER_EXCLUSIVE ? LOCK_EX : LOCK_SH) != 0) {
        if (errno == EINTR)
            continue;
        snprintf(why_r, FOLDER_WHY_SIZE, "lock %s: %m", folder);
        close(fd);
        return -1;
    }
    return fd;
}

/* A file that is gone is none that cannot be read. */
static bool is_readable(const char *folder, const char *name, char why_r[FOLDER_WHY_SIZE])
{
    char path[PATH_MAX], byte;
    int fd = folder_path(folder, name, path) ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    bool good = fd >= 0 ? pread(fd, &byte, 1, 0) >= 0 : errno == ENOENT;

    if (!good)
        snprintf(why_r, FOLDER_WHY_SIZE, "read %s/%s: %m", folder, name);
    if (fd >= 0)
        close(fd);
    return good;
}

bool folder_is_usable(const char *folder, char why_r[FOLDER_WHY_SIZE])
{
    char name[SEGMENT_NAME_SIZE];
    uint64_t *numbers;
    size_t count;
    bool good;

    if (!folder_segments(folder, &numbers, &count)) {
        snprintf(why_r, FOLDER_WHY_SIZE, "read %s: %m", folder);
        return false;
    }
    good = is_readable(folder, FOLDER_SNAPSHOT, why_r);
    for (size_t n = 0; good && n < count; n++) {
        segment_name(numbers[n], name);
        good = is_readable(folder, name, why_r);
    }
    free(numbers);
    if (good && faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) != 0) {
        snprintf(why_r, FOLDER_WHY_SIZE, "make files in %s: %m", folder);
        good = false;
    }
    return good;
}

/* Have all of it read now, where the kernel can (Linux 5.14): what the disk does not give is an
 * error here, and no SIGBUS later. */
static bool is_all_there(void *bytes, size_t len)
{
#ifdef MADV_POPULATE_READ
    if (madvise(bytes, len, MADV_POPULATE_READ) != 0 && (errno == EFAULT || errno == EHWPOISON)) {
        errno = EIO;
        return false;
    }
#else
    (void)bytes;
    (void)len;
#endif
    return true;
}

static bool map(int fd, size_t len, struct folder_file *file_r)
{
    void *bytes = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);

    if (bytes == MAP_FAILED)
        return false;
    *file_r = (struct folder_file){bytes, len};
    if (is_all_there(bytes, len))
        return true;
    folder_unmap(file_r);
    return false;
}

/* In memory that is unmapped as mapped files are. Where the file has become shorter by now there
 * are zeros, which look like a write cut short (store/frame.h). */
static bool copy(int fd, size_t len, struct folder_file *file_r)
{
    unsigned char *bytes =
        mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t at = 0;
    ssize_t got;

    if (bytes == MAP_FAILED)
        return false;
    *file_r = (struct folder_file){bytes, len};
    do {
        got = pread(fd, bytes + at, len - at, (off_t)at);
        at += got > 0 ? (size_t)got : 0;
    } while (got > 0 && at < len);
    if (got >= 0)
        return true;
    folder_unmap(file_r);
    return false;
}

typedef bool load_fn(int fd, size_t len, struct folder_file *file_r);

static bool load(int fd, load_fn *how, struct folder_file *file_r)
{
    struct stat status;

    *file_r = (struct folder_file){0};
    if (fstat(fd, &status) != 0)
        return false;
    if (!S_ISREG(status.st_mode)) {
        errno = EINVAL;
        return false;
    }
    return status.st_size == 0 || how(fd, (size_t)status.st_size, file_r);
}

static int open_with(load_fn *how, const char *path, struct folder_file *file_r)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int error;
    bool good;

    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    good = load(fd, how, file_r);
    error = errno;
    close(fd);
    errno = error;
    return good ? 1 : -1;
}

int folder_map(const char *path, struct folder_file *file_r)
{
    return open_with(map, path, file_r);
}

int folder_copy(const char *path, struct folder_file *file_r)
{
    return open_with(copy, path, file_r);
}

void folder_unmap(struct folder_file *file)
{
    int error = errno;

    if (file->bytes != NULL)
        munmap((void *)(uintptr_t)file->bytes, file->len);
    *file = (struct folder_file){0};
    errno = error;
}

bool folder_sync(const char *folder)
{
    int fd = open_folder(folder);
    bool good = fd >= 0 && fsync(fd) == 0;
    int error = errno;

    if (fd >= 0)
        close(fd);
    errno = error;
    return good;
}

bool folder_keep_aside(const char *folder, const char *name, int64_t wall_ms,
                       char aside_r[PATH_MAX])
{
    char path[PATH_MAX], time[ISO_TIME_SIZE], suffix[16] = "";

    if (!folder_path(folder, name, path))
        return false;
    iso_time_print(wall_ms, time);
    for (int n = 1; n <= SET_ASIDE_MAX; n++) {
        int len = snprintf(aside_r, PATH_MAX, "%s.damaged-%s%s", path, time, suffix);

        if (len < 0 || len >= PATH_MAX) {
            errno = ENAMETOOLONG;
            return false;
        }
        if (link(path, aside_r) == 0)
            return true;
        if (errno != EEXIST)
            return false;
        snprintf(suffix, sizeof suffix, "-%d", n);
    }
    return false;
}

void folder_set_aside(const char *folder, const char *name, int64_t wall_ms)
{
    char path[PATH_MAX], aside[PATH_MAX];

    if (folder_path(folder, name, path) && folder_keep_aside(folder, name, wall_ms, aside) &&
        unlink(path) == 0)
        log_warn("%s is damaged, and is kept as %s", path, aside);
    else
        log_error("%s/%s is damaged, and cannot be renamed: %m", folder, name);
}

bool folder_set_incomplete(const char *folder, bool is_incomplete)
{
    char path[PATH_MAX];
    int fd;

    if (!folder_path(folder, FOLDER_INCOMPLETE, path))
        return false;
    if (!is_incomplete)
        return (unlink(path) == 0 || errno == ENOENT) && folder_sync(folder);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return false;
    close(fd);
    return folder_sync(folder);
}

bool folder_is_incomplete(const char *folder)
{
    char path[PATH_MAX];

    return folder_path(folder, FOLDER_INCOMPLETE, path) &&
           (access(path, F_OK) == 0 || errno != ENOENT);
}
