/* pending - what running processes still have to take over */
#include "ctl/pending.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/files.h"
#include "admin/mem.h"
#include "lib/file.h"

static const char *const words[] = {
    [PENDING_NOTHING] = "", [PENDING_RELOAD] = "reload\n", [PENDING_START] = "start\n"};

static char *path_of(const struct settings *settings, const struct part *part)
{
    return mem_printf("%s" SETTINGS_RUN_DIR "/%s.pending", settings->root, part->name);
}

/* Whether the part was started after the note was written. */
static bool is_outdated(const char *path, const struct part *part)
{
    struct stat note, pid;

    if (stat(path, &note) != 0 || stat(part->pid_file, &pid) != 0)
        return false;
    if (pid.st_mtim.tv_sec != note.st_mtim.tv_sec)
        return pid.st_mtim.tv_sec > note.st_mtim.tv_sec;
    return pid.st_mtim.tv_nsec > note.st_mtim.tv_nsec;
}

enum pending pending_get(const struct settings *settings, const struct part *part)
{
    char *path = path_of(settings, part);
    size_t len;
    char *text = file_read(path, PATH_MAX, &len);
    enum pending what = PENDING_NOTHING;

    for (int i = PENDING_RELOAD; text != NULL && i <= PENDING_START; i++)
        if (strcmp(text, words[i]) == 0)
            what = (enum pending)i;
    if (what == PENDING_RELOAD && is_outdated(path, part))
        what = PENDING_NOTHING;
    free(text);
    free(path);
    return what;
}

void pending_note(const struct settings *settings, const struct part *part, enum pending what)
{
    char *folder = mem_printf("%s" SETTINGS_RUN_DIR, settings->root);
    char *path = path_of(settings, part);

    if (pending_get(settings, part) < what && files_make_folder(folder, 0755, NULL) &&
        !files_write(path, words[what]))
        fprintf(stderr, "%s: should this run be killed, the next does not know what it left\n",
                path);
    free(path);
    free(folder);
}

void pending_clear(const struct settings *settings, const struct part *part)
{
    char *path = path_of(settings, part);

    if (unlink(path) != 0 && errno != ENOENT)
        fprintf(stderr, "%s: cannot be removed: %m\n", path);
    free(path);
}
