/* queues_fixture - made-up queue directories; to be included by one file */
#ifndef PEG_QUEUES_FIXTURE_H
#define PEG_QUEUES_FIXTURE_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

enum { PATH_SIZE = 512 };

static void path_in(const char *root, const char *below, char path_r[PATH_SIZE])
{
    assert_true(snprintf(path_r, PATH_SIZE, "%s/%s", root, below) < PATH_SIZE);
}

/* Make a folder with its parents. */
static void make_folder(const char *root, const char *below)
{
    char path[PATH_SIZE];

    path_in(root, below, path);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0755);
        *slash = '/';
    }
    (void)mkdir(path, 0755);
    assert_int_equal(access(path, X_OK), 0);
}

static void __attribute__((unused)) make_file(const char *root, const char *below)
{
    char path[PATH_SIZE];
    int fd;

    path_in(root, below, path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void __attribute__((unused)) make_queues(const char *root, const char *below)
{
    static const char *const names[] = {"incoming", "active", "deferred", "hold"};

    for (size_t i = 0; i < LENGTH(names); i++) {
        char folder[PATH_SIZE];

        path_in(below, names[i], folder);
        make_folder(root, folder);
    }
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int set_up(void **state)
{
    char *root = strdup("/tmp/test_queues.XXXXXX");

    assert_non_null(root);
    assert_non_null(mkdtemp(root));
    *state = root;
    return 0;
}

static int tear_down(void **state)
{
    char *root = *state;
    int result = nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);

    free(root);
    return result;
}

#endif
