/* files - the few things that peg-gen does with files by itself */
#include "admin/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/mem.h"
#include "lib/file.h"

enum { COPY_SIZE_MAX = 64 << 20 };

static bool complain(const char *path, const char *what)
{
    fprintf(stderr, "%s: %s: %m\n", path, what);
    return false;
}

bool files_is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool files_is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool files_has_entries(const char *path)
{
    DIR *stream = opendir(path);
    const struct dirent *entry;
    bool found = false;

    while (stream != NULL && !found && (entry = readdir(stream)) != NULL)
        found = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (stream != NULL)
        closedir(stream);
    return found;
}

static bool make_parents(const char *path)
{
    char *copy = mem_dup(path);
    bool good = true;

    for (char *slash = strchr(copy + 1, '/'); good && slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        good = mkdir(copy, 0755) == 0 || errno == EEXIST || complain(copy, "cannot be made");
        *slash = '/';
    }
    free(copy);
    return good;
}

static bool give_to(const char *path, const char *owner)
{
    const struct passwd *user;

    if (owner == NULL || geteuid() != 0)
        return true;
    errno = 0;
    user = getpwnam(owner);
    if (user == NULL) {
        fprintf(stderr, "%s: there is no user %s to own it\n", path, owner);
        return false;
    }
    return chown(path, user->pw_uid, user->pw_gid) == 0 || complain(path, "owner cannot be set");
}

bool files_make_folder(const char *path, unsigned mode, const char *owner)
{
    if (files_is_folder(path))
        return true;
    if (!make_parents(path))
        return false;
    if (mkdir(path, mode) != 0)
        return complain(path, "cannot be made");
    if (chmod(path, mode) != 0) /* whatever the umask is */
        return complain(path, "mode cannot be set");
    return give_to(path, owner);
}

bool files_make_empty(const char *path, const char *owner)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    if (fd < 0)
        return errno == EEXIST || complain(path, "cannot be made");
    close(fd);
    return give_to(path, owner);
}

bool files_share(const char *path, const char *user)
{
    const struct passwd *entry = getpwnam(user);

    if (entry == NULL) {
        fprintf(stderr, "%s: there is no user %s to share it with\n", path, user);
        return false;
    }
    return geteuid() != 0 ||
           (chown(path, (uid_t)-1, entry->pw_gid) == 0 && chmod(path, 0664) == 0) ||
           complain(path, "group cannot be set");
}

/* Write to a file beside path, and rename it. */
static bool replace(const char *path, const char *text, size_t len, mode_t mode)
{
    char *temporary = mem_printf("%s.peg-gen", path);
    int fd;

    unlink(temporary); /* of a run that was killed, or put there by somebody else */
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good = fd >= 0 && file_write(fd, text, len) && fchmod(fd, mode) == 0 && fsync(fd) == 0;

    if (fd >= 0 && close(fd) != 0)
        good = false;
    good = good && rename(temporary, path) == 0;
    if (!good) {
        complain(path, "cannot be written");
        unlink(temporary);
    }
    free(temporary);
    return good;
}

bool files_write(const char *path, const char *text)
{
    return replace(path, text, strlen(text), 0644);
}

bool files_remove(const char *path)
{
    return unlink(path) == 0 || errno == ENOENT || complain(path, "cannot be removed");
}

/* Closes fd. By descriptors: whose the folder is could put a link in the place of one in it. */
static void empty_folder(int fd)
{
    DIR *stream = fdopendir(fd);
    const struct dirent *entry;
    int inner;

    if (stream == NULL) {
        close(fd);
        return;
    }
    while ((entry = readdir(stream)) != NULL) {
        const char *name = entry->d_name;

        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || unlinkat(fd, name, 0) == 0 ||
            errno != EISDIR)
            continue;
        inner = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (inner >= 0)
            empty_folder(inner);
        unlinkat(fd, name, AT_REMOVEDIR);
    }
    closedir(stream);
}

void files_remove_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return;
    empty_folder(fd);
    rmdir(path);
}

void files_remove_beside(const char *path, const char *suffix)
{
    char *beside = mem_printf("%s%s", path, suffix);

    files_remove_folder(beside);
    free(beside);
}

bool files_sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return good || complain(path, "cannot be made durable");
}

bool files_sync_parent(const char *path)
{
    char *parent = mem_dup_len(path, (size_t)(strrchr(path, '/') - path));
    bool good = files_sync_folder(parent);

    free(parent);
    return good;
}

bool files_copy(const char *from, const char *to)
{
    struct stat st = {0};
    size_t len;
    char *text = stat(from, &st) == 0 ? file_read(from, COPY_SIZE_MAX, &len) : NULL;
    bool good = text != NULL ? replace(to, text, len, st.st_mode & 07777)
                             : complain(from, "cannot be read");
    const struct timespec times[2] = {st.st_atim, st.st_mtim};

    /* Postfix waits before it reads a file that has just changed (src/util/dict.c). */
    if (good && utimensat(AT_FDCWD, to, times, 0) != 0)
        good = complain(to, "its time cannot be set");
    free(text);
    return good;
}
