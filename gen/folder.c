/* folder - make or change one configuration folder of Postfix, whole or not at all */
#include "gen/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/files.h"
#include "gen/marks.h"
#include "admin/mem.h"
#include "admin/postconf.h"
#include "gen/template.h"
#include "lib/file.h"

#define STAGE ".peg-gen"

static bool copy_present(const char *dir, const char *stage)
{
    static const char *const names[] = {"main.cf", "master.cf"};
    bool good = true;

    for (size_t i = 0; good && i < 2; i++) {
        char *from = mem_printf("%s/%s", dir, names[i]);
        char *to = mem_printf("%s/%s", stage, names[i]);

        good = files_copy(from, to);
        free(from);
        free(to);
    }
    return good;
}

/* Where a file of the plan stands in the stage. To be freed. */
static char *staged_path(const char *path, const char *dir, const char *stage)
{
    return mem_printf("%s%s", stage, path + strlen(dir));
}

static bool write_files(const struct difference *d, const char *stage)
{
    bool good = true;

    for (size_t i = 0; good && i < d->files.count; i++) {
        char *path = staged_path(d->files.items[i].name, d->plan->dir, stage);

        good = files_write(path, d->files.items[i].value);
        free(path);
    }
    return good;
}

static char *read_cf(const char *dir, enum cf_file file)
{
    char *path = mem_printf("%s/%s", dir, cf_file_name(file));
    size_t len;
    char *text = file_read(path, FILES_CF_SIZE_MAX, &len);

    if (text == NULL)
        fprintf(stderr, "%s: cannot be read: %m\n", path);
    free(path);
    return text;
}

/* Mark what is ours. original is the text before postconf changed it. */
static char *with_comments(const struct plan *plan, enum cf_file file, const char *original,
                           const char *text)
{
    struct cf_text before, cf;
    struct pairs marks;
    char *result;

    cf_text_parse(original, file, &before);
    cf_text_parse(text, file, &cf);
    marks_of_plan(plan, file, &marks);
    cf_text_restore_comments(&cf, &before);
    marks_put(&cf, &marks);
    result = cf_text_format(&cf);
    pairs_deinit(&marks);
    cf_text_deinit(&before);
    cf_text_deinit(&cf);
    return result;
}

static bool comment(const struct plan *plan, const char *stage, enum cf_file file,
                    const char *original)
{
    char *path = mem_printf("%s/%s", stage, cf_file_name(file));
    char *text = read_cf(stage, file);
    char *result = text != NULL ? with_comments(plan, file, original, text) : NULL;
    bool good = result != NULL && (strcmp(text, result) == 0 || files_write(path, result));

    free(result);
    free(text);
    free(path);
    return good;
}

static bool edit(const struct difference *d, const char *stage)
{
    char *main = read_cf(stage, CF_MAIN);
    char *master = read_cf(stage, CF_MASTER);
    bool good =
        main != NULL && master != NULL && write_files(d, stage) &&
        postconf_set_main(stage, &d->main) && postconf_remove_services(stage, &d->removed) &&
        postconf_set_services(stage, &d->services) && postconf_set_options(stage, &d->options) &&
        comment(d->plan, stage, CF_MAIN, main) && comment(d->plan, stage, CF_MASTER, master) &&
        postconf_cool_down(stage);

    free(main);
    free(master);
    return good;
}

/* Move a file from the stage to its place, unless that has the same contents. */
static bool move(const char *from, const char *to)
{
    struct stat st;
    size_t from_len, to_len;
    char *fresh = file_read(from, FILES_CF_SIZE_MAX, &from_len);
    char *old = file_read(to, FILES_CF_SIZE_MAX, &to_len);
    bool same =
        fresh != NULL && old != NULL && from_len == to_len && memcmp(fresh, old, from_len) == 0;
    bool good = true;

    free(fresh);
    free(old);
    if (same)
        return true;
    if (stat(to, &st) == 0) /* owner and mode are the operator's */
        good = chown(from, st.st_uid, st.st_gid) == 0 && chmod(from, st.st_mode & 07777) == 0;
    good = good && rename(from, to) == 0;
    if (!good)
        fprintf(stderr, "%s: cannot be replaced: %m\n", to);
    return good;
}

static bool move_named(const char *stage, const char *dir, const char *name)
{
    char *from = mem_printf("%s/%s", stage, name);
    char *to = mem_printf("%s/%s", dir, name);
    bool good = move(from, to);

    free(from);
    free(to);
    return good;
}

/* Tables first: main.cf and master.cf refer to them. */
static bool commit(const struct difference *d, const char *stage)
{
    const char *dir = d->plan->dir;
    bool good = true;

    if (d->create && rename(stage, dir) != 0) {
        fprintf(stderr, "%s: cannot be made: %m\n", dir);
        return false;
    }
    if (d->create)
        return files_sync_parent(dir);
    for (size_t i = 0; good && i < d->files.count; i++)
        good = move_named(stage, dir, d->files.items[i].name + strlen(dir) + 1);
    good = good && move_named(stage, dir, "master.cf") && move_named(stage, dir, "main.cf");
    files_remove_folder(stage);
    return good && files_sync_folder(dir);
}

void folder_clean(const char *dir)
{
    files_remove_beside(dir, STAGE);
}

bool folder_change(const char *template_dir, const struct difference *difference)
{
    const struct difference *d = difference;
    char *stage = mem_printf("%s" STAGE, d->plan->dir);
    bool good;

    files_remove_folder(stage);
    good = files_make_folder(stage, 0755, NULL) &&
           (d->create ? template_fill(template_dir, stage) : copy_present(d->plan->dir, stage)) &&
           edit(d, stage) && commit(d, stage);
    if (!good)
        files_remove_folder(stage);
    free(stage);
    return good;
}
