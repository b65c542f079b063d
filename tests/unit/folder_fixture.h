/* folder_fixture - a private folder, and files in it; to be included by one file */
#ifndef PEG_FOLDER_FIXTURE_H
#define PEG_FOLDER_FIXTURE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/folder.h"
#include "tests/unit/unit.h"

#define UNUSED __attribute__((unused))

static char folder[64], path[PATH_MAX];
static char UNUSED why[FOLDER_WHY_SIZE];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/peg-folder-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

/* Files are in the folder alone. */
static int remove_folder(void **state)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    (void)state;
    while ((entry = readdir(dir)) != NULL)
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    return rmdir(folder);
}

static void make_file(const char *name, const char *text)
{
    FILE *file;

    assert_true(folder_path(folder, name, path));
    file = fopen(path, "wxe");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static bool UNUSED file_is(const char *name, const char *text)
{
    char is[64] = "";
    FILE *file;

    assert_true(folder_path(folder, name, path));
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    assert_true(fread(is, 1, sizeof is - 1, file) > 0);
    fclose(file);
    return strcmp(is, text) == 0;
}

#endif
