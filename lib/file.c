/* file - read a whole file, write all of some bytes, replace a file at once */
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

char *file_read(const char *path, size_t max_len, size_t *len_r)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = NULL;
    size_t len = 0, size = 0;
    int error = 0;

    if (fd < 0)
        return NULL;
    for (;;) {
        ssize_t got;

        if (len + 1 >= size) {
            char *larger = realloc(text, size = size * 2 + 4096);

            if (larger == NULL) {
                error = ENOMEM;
                break;
            }
            text = larger;
        }
        got = read(fd, text + len, size - len - 1);
        if (got > 0)
            len += (size_t)got;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            error = errno;
        else if (len > max_len)
            error = EFBIG;
        if (got <= 0 || error != 0)
            break;
    }
    close(fd);
    if (error != 0) {
        free(text);
        errno = error;
        return NULL;
    }
    text[len] = '\0';
    *len_r = len;
    return text;
}

bool file_write(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        ssize_t done = write(fd, at, len);

        if (done < 0 && errno != EINTR)
            return false;
        if (done > 0) {
            at += done;
            len -= (size_t)done;
        }
    }
    return true;
}

bool file_replace_at(int dir_fd, const char *name, const void *bytes, size_t len, mode_t mode)
{
    char temporary[NAME_MAX + 1];
    int name_len = snprintf(temporary, sizeof temporary, ".%s.new", name);
    int error = ENAMETOOLONG;
    bool done = false;
    int fd;

    if (name_len > 0 && (size_t)name_len < sizeof temporary) {
        unlinkat(dir_fd, temporary, 0); /* left behind by one that was killed */
        fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        done = fd >= 0 && file_write(fd, bytes, len) && fchmod(fd, mode) == 0 &&
               renameat(dir_fd, temporary, dir_fd, name) == 0;
        error = errno;
        if (fd >= 0)
            close(fd);
        if (fd >= 0 && !done)
            unlinkat(dir_fd, temporary, 0);
    }
    errno = error;
    return done;
}
