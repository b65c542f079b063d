/* file - read a whole file, write all of some bytes */
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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
