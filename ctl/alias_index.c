/* alias_index - the index of an alias_maps file, by which Postfix reads it */
#include "ctl/alias_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "admin/files.h"
#include "admin/mem.h"
#include "admin/process.h"

#define STAGE ".peg-alias"

static const char *text_path(const char *table)
{
    return strchr(table, ':') + 1;
}

/* The file that postalias makes of a text. To be freed. */
static char *index_path(const char *table, const char *path)
{
    const char *suffix = ".db"; /* hash and btree */

    if (strncmp(table, "cdb:", 4) == 0)
        suffix = ".cdb";
    else if (strncmp(table, "lmdb:", 5) == 0)
        suffix = ".lmdb";
    return mem_printf("%s%s", path, suffix);
}

static bool is_newer(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

bool alias_index_is_fresh(const char *table)
{
    char *path = index_path(table, text_path(table));
    struct stat text, index;
    bool fresh = stat(text_path(table), &text) == 0 && stat(path, &index) == 0 &&
                 !is_newer(&text.st_mtim, &index.st_mtim) &&
                 !is_newer(&text.st_ctim, &index.st_mtim); /* of `cp -p` the one time that tells */

    free(path);
    return fresh;
}

static bool run_postalias(const char *dir, const char *table, const char *copy)
{
    char *copy_table = mem_printf("%.*s%s", (int)(text_path(table) - table), table, copy);
    const char *const argv[] = {"postalias", "-c", dir, copy_table, NULL};
    bool good = process_run(argv);

    free(copy_table);
    return good;
}

void alias_index_clean(const char *dir)
{
    files_remove_beside(dir, STAGE);
}

/* postalias(1) writes in place: of a copy, so that nobody ever sees half an index. */
bool alias_index_build(const char *dir, const char *table)
{
    char *stage = mem_printf("%s" STAGE, dir);
    char *copy = mem_printf("%s/alias_maps", stage);
    char *from = index_path(table, copy);
    char *to = index_path(table, text_path(table));
    bool good;

    files_remove_folder(stage);
    good = files_make_folder(stage, 0755, NULL) && files_copy(text_path(table), copy) &&
           run_postalias(dir, table, copy);
    if (good && rename(from, to) != 0) {
        fprintf(stderr, "%s: cannot be replaced: %m\n", to);
        good = false;
    }
    files_remove_folder(stage);
    free(stage);
    free(copy);
    free(from);
    free(to);
    return good;
}

bool alias_index_refresh(const char *dir)
{
    const char *const argv[] = {"postconf", "-c", dir, "-hP", "peg-bounce/unix/alias_maps", NULL};
    char *text = mem_printf("%s/alias_maps", dir);
    char *table = files_is_file(text) ? process_output(argv) : NULL;
    bool good = true;

    if (table != NULL) {
        table[strcspn(table, ",\n")] = '\0';
        if (strchr(table, ':') != NULL && strcmp(text_path(table), text) == 0 &&
            !alias_index_is_fresh(table))
            good = alias_index_build(dir, table);
    }
    free(text);
    free(table);
    return good;
}
