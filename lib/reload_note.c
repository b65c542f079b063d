/* reload_note - whether a daemon has taken over its new configuration */
#include "lib/reload_note.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log.h"
#include "lib/startup.h"

enum { TEXT_SIZE = 64 };

static bool path_of(const struct settings *settings, const char *program, char path_r[PATH_MAX])
{
    char name[128];

    snprintf(name, sizeof name, SETTINGS_RUN_DIR "/%.64s.reload", program);
    return settings_path(settings, name, path_r);
}

/* Written in place, in one write(2) of one length: a reader sees the old text or the new. */
void reload_note_write(const struct settings *settings, const char *program,
                       const struct reload_note *note)
{
    char path[PATH_MAX], text[TEXT_SIZE];
    int fd = -1;
    int len = snprintf(text, sizeof text, "%010ld %020lu %s\n", (long)getpid(), note->count,
                       note->taken ? "taken  " : "refused");

    if (path_of(settings, program, path))
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0 || pwrite(fd, text, (size_t)len, 0) != len)
        log_warn("%s: cannot be written: %m", path);
    if (fd >= 0)
        close(fd);
}

bool reload_note_read(const struct settings *settings, const char *program,
                      struct reload_note *note_r)
{
    char path[PATH_MAX], word[TEXT_SIZE];
    struct reload_note note;
    struct stat status;
    size_t len;
    char *text = path_of(settings, program, path) ? file_read(path, TEXT_SIZE, &len) : NULL;
    bool good = text != NULL && sscanf(text, "%10ld %20lu %7s", &note.pid, &note.count, word) == 3;

    if (good && stat(path, &status) == 0) {
        note.taken = strcmp(word, "taken") == 0;
        note.wall_ms = (int64_t)status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1000000;
        *note_r = note;
    }
    free(text);
    return good;
}

void reload_settings(struct settings **settings, const char *program, struct reload_note *note)
{
    struct diag diag = diag_to_log();
    struct settings *fresh = settings_load((*settings)->root, &diag);

    note->count++;
    note->taken = fresh != NULL;
    if (note->taken) {
        startup_warn_of_restart(fresh, program);
        settings_free(settings);
        *settings = fresh;
        log_info("settings reloaded from %s", fresh->file);
    } else {
        log_warn("the settings stay as they were: %s has errors", (*settings)->file);
    }
    reload_note_write(*settings, program, note);
}
