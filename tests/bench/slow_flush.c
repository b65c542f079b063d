/*
 * slow_flush - a library to preload: each fsync(2) and fdatasync(2) takes 5 ms longer
 *
 * As on a disk whose cache is written through, save that there the flushes of several programs may
 * wait for each other as well.
 */
#include <dlfcn.h>
#include <time.h>

enum { FLUSH_NS = 5 * 1000 * 1000 };

static int flush_slowly(const char *function, int fd)
{
    int (*real)(int);
    struct timespec delay = {.tv_nsec = FLUSH_NS};

    *(void **)&real = dlsym(RTLD_NEXT, function); /* the form that POSIX gives */
    nanosleep(&delay, NULL);
    return real(fd);
}

int fsync(int fd);
int fsync(int fd)
{
    return flush_slowly("fsync", fd);
}

int fdatasync(int fd);
int fdatasync(int fd)
{
    return flush_slowly("fdatasync", fd);
}
