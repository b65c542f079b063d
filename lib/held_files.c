/* held_files - which of some files a process holds locked, seen without locking them */
#include "lib/held_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* The kernel hands /proc/locks out in pieces, by the number of the line: where locks before it go
 * between two pieces, a line is passed over. On a busy machine one reading in five was seen to miss
 * a lock so. */
enum { READINGS = 20 };

typedef void take_line(const char *line, struct held_file files[], size_t count);

/* Give every line to take(). Returns false where one cannot be read. */
static bool read_lines(FILE *in, take_line *take, struct held_file files[], size_t count)
{
    char *line = NULL;
    size_t size = 0;
    bool good;

    while (getline(&line, &size, in) > 0)
        take(line, files, count);
    good = feof(in) && !ferror(in);
    free(line);
    return good;
}

static void take_info(const char *line, struct held_file files[], size_t count)
{
    (void)count;
    if (sscanf(line, "mnt_id: %" SCNu64, &files[0].mount) == 1)
        files[0].is_sought = true;
}

/* The mount by which fd was opened. */
static void note_mount(int fd, struct held_file *file)
{
    char path[64];
    FILE *in;

    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    in = fopen(path, "re");
    if (in == NULL)
        return;
    if (!read_lines(in, take_info, file, 1))
        file->is_sought = false;
    fclose(in);
}

void held_files_note(const char *path, struct held_file *file_r)
{
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;

    *file_r = (struct held_file){.held = HELD_UNKNOWN};
    if (fd < 0) {
        file_r->held = errno == ENOENT || errno == ENOTDIR ? HELD_NO : HELD_UNKNOWN;
        return;
    }
    if (fstat(fd, &status) == 0) {
        file_r->inode = status.st_ino;
        note_mount(fd, file_r);
    }
    close(fd);
}

static void take_mount(const char *line, struct held_file files[], size_t count)
{
    unsigned major_number, minor_number;
    uint64_t mount;

    if (sscanf(line, "%" SCNu64 " %*u %u:%u", &mount, &major_number, &minor_number) != 3)
        return;
    for (size_t i = 0; i < count; i++)
        if (files[i].is_sought && files[i].mount == mount) {
            files[i].device = makedev(major_number, minor_number);
            files[i].has_device = true;
        }
}

bool held_files_read_mounts(FILE *mountinfo, struct held_file files[], size_t count)
{
    return read_lines(mountinfo, take_mount, files, count);
}

/* A process that waits for a lock has `->` before the word FLOCK. */
static void take_lock(const char *line, struct held_file files[], size_t count)
{
    unsigned major_number, minor_number;
    uint64_t inode;

    if (sscanf(line, "%*u: FLOCK ADVISORY WRITE %*d %x:%x:%" SCNu64, &major_number, &minor_number,
               &inode) != 3)
        return;
    for (size_t i = 0; i < count; i++)
        if (files[i].has_device && files[i].inode == inode &&
            files[i].device == makedev(major_number, minor_number))
            files[i].held = HELD_YES;
}

bool held_files_read_locks(FILE *locks, struct held_file files[], size_t count)
{
    return read_lines(locks, take_lock, files, count);
}

static bool read_file(const char *path, bool (*read)(FILE *, struct held_file[], size_t),
                      struct held_file files[], size_t count)
{
    FILE *in = fopen(path, "re");
    bool good = in != NULL && read(in, files, count);

    if (in != NULL)
        fclose(in);
    return good;
}

static bool are_all_held(const struct held_file files[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (files[i].has_device && files[i].held != HELD_YES)
            return false;
    return true;
}

void held_files_find(struct held_file files[], size_t count)
{
    bool good = read_file("/proc/self/mountinfo", held_files_read_mounts, files, count);

    for (int n = 0; good && n < READINGS && !are_all_held(files, count); n++)
        good = read_file("/proc/locks", held_files_read_locks, files, count);
    for (size_t i = 0; good && i < count; i++)
        if (files[i].has_device && files[i].held == HELD_UNKNOWN)
            files[i].held = HELD_NO;
}
