/* measure - how large the files of the store are, for who watches it */
#include "store/measure.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "store/folder.h"

static int64_t modified_ms(const struct stat *status)
{
    return (int64_t)status->st_mtim.tv_sec * 1000 + status->st_mtim.tv_nsec / 1000000;
}

static bool measure_snapshot(const char *folder, struct store_size *size)
{
    char path[PATH_MAX];
    struct stat status;

    if (!folder_path(folder, FOLDER_SNAPSHOT, path))
        return false;
    if (stat(path, &status) != 0)
        return errno == ENOENT;
    size->snapshot_bytes = (uint64_t)status.st_size;
    size->snapshot_ms = modified_ms(&status);
    return true;
}

static bool measure_journal(const char *folder, struct store_size *size)
{
    char path[PATH_MAX];
    struct stat status;
    uint64_t *numbers;
    size_t count;
    bool done = true;

    if (!folder_segments(folder, &numbers, &count))
        return false;
    for (size_t n = 0; n < count && done; n++) {
        done = folder_segment_path(folder, numbers[n], path);
        if (done && stat(path, &status) == 0)
            size->journal_bytes += (uint64_t)status.st_size;
        else
            done = done && errno == ENOENT; /* no more */
    }
    free(numbers);
    size->journal_segments = count;
    return done;
}

bool store_measure(const char *folder, struct store_size *size_r)
{
    struct store_size size = {.snapshot_bytes = 0};
    struct statvfs disk;

    if (!measure_journal(folder, &size) || !measure_snapshot(folder, &size) ||
        statvfs(folder, &disk) != 0)
        return false;
    size.available_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    *size_r = size;
    return true;
}
