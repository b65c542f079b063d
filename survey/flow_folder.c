/* flow_folder - the folder of one queue under watch, with its hashed subfolders */
#include "survey/flow_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of subfolders; IN_CREATE comes for each new file in `incoming` as well. */
#define FOLDER_EVENTS (IN_CREATE | IN_MOVED_TO | IN_ONLYDIR)

void flow_folder_init(struct flow_folder *folder, enum queue queue, int inotify_fd, uint32_t events)
{
    *folder =
        (struct flow_folder){.queue = queue, .inotify_fd = inotify_fd, .events = events, .fd = -1};
}

const struct flow_watch *flow_folder_find(const struct flow_folder *folder, int wd)
{
    for (size_t i = 0; i < folder->watch_count; i++) /* one, unless the queue is hashed */
        if (folder->watches[i].wd == wd)
            return &folder->watches[i];
    return NULL;
}

/* Watch one folder. Returns false with errno. */
static bool add_watch(struct flow_folder *folder, const char *path, const char *below)
{
    int wd = inotify_add_watch(folder->inotify_fd, path, folder->events | FOLDER_EVENTS);
    struct flow_watch *watches;

    if (wd < 0 || flow_folder_find(folder, wd) != NULL)
        return wd >= 0;
    watches = reallocarray(folder->watches, folder->watch_count + 1, sizeof *watches);
    if (watches == NULL) {
        inotify_rm_watch(folder->inotify_fd, wd);
        errno = ENOMEM;
        return false;
    }
    folder->watches = watches;
    watches[folder->watch_count] = (struct flow_watch){.wd = wd};
    memcpy(watches[folder->watch_count].below, below, strlen(below) + 1);
    folder->watch_count++;
    return true;
}

/* A folder by its path, which has room to go below it. */
struct place {
    char path[PATH_MAX]; /* with a slash at its end */
    size_t base_len;     /* of the queue's own folder */
};

static bool enter(struct place *place, const char *name)
{
    size_t len = strlen(place->path);

    if (name[0] == '.' || name[1] != '\0' || len + 3 > sizeof place->path ||
        len - place->base_len + 3 > FLOW_BELOW_SIZE)
        return false;
    memcpy(place->path + len, (const char[]){name[0], '/', '\0'}, 3);
    return true;
}

static void leave(struct place *place)
{
    place->path[strlen(place->path) - 2] = '\0';
}

/* Watch a folder and its hashed subfolders. Returns false with errno where one cannot be. */
static bool add_tree(struct flow_folder *folder, struct place *place)
{
    const char *below = place->path + place->base_len;
    struct dirent *entry;
    bool ok = add_watch(folder, place->path, below);
    DIR *dir;

    if (!ok)
        return below[0] != '\0' && (errno == ENOTDIR || errno == ENOENT); /* a file, or gone */
    dir = opendir(place->path);
    while (ok && dir != NULL && (entry = readdir(dir)) != NULL)
        if (enter(place, entry->d_name)) {
            ok = add_tree(folder, place);
            leave(place);
        }
    if (dir != NULL)
        closedir(dir);
    return ok;
}

static bool place_of(struct place *place_r, const struct flow_folder *folder, const char *queue_dir,
                     const char *below)
{
    int base_len = snprintf(place_r->path, sizeof place_r->path, "%s/%s/", queue_dir,
                            queues_name(folder->queue));
    size_t below_size = strlen(below) + 1;

    if (base_len < 0 || (size_t)base_len + below_size > sizeof place_r->path) {
        errno = ENAMETOOLONG;
        return false;
    }
    place_r->base_len = (size_t)base_len;
    memcpy(place_r->path + base_len, below, below_size);
    return true;
}

bool flow_folder_watch(struct flow_folder *folder, const char *queue_dir, bool *changed_r)
{
    struct place place;
    struct stat found;
    int error;
    int fd = place_of(&place, folder, queue_dir, "")
                 ? open(place.path, O_PATH | O_DIRECTORY | O_CLOEXEC)
                 : -1;

    if (fd >= 0 && fstat(fd, &found) == 0 && folder->fd >= 0 && found.st_dev == folder->dev &&
        found.st_ino == folder->ino) {
        close(fd);
        return true;
    }
    error = errno;
    flow_folder_end(folder);
    errno = error;
    if (fd < 0)
        return false;
    *changed_r = true;
    folder->fd = fd;
    folder->dev = found.st_dev;
    folder->ino = found.st_ino;
    if (add_tree(folder, &place))
        return true;
    error = errno;
    flow_folder_end(folder);
    errno = error;
    return false;
}

bool flow_folder_add(struct flow_folder *folder, const char *queue_dir,
                     const struct flow_watch *parent, const char *name)
{
    struct place place;

    return !place_of(&place, folder, queue_dir, parent->below) || !enter(&place, name) ||
           add_tree(folder, &place);
}

void flow_folder_ended(struct flow_folder *folder, int wd)
{
    for (size_t i = 0; i < folder->watch_count; i++)
        if (folder->watches[i].wd == wd) {
            if (folder->watches[i].below[0] == '\0')
                flow_folder_end(folder);
            else
                folder->watches[i] = folder->watches[--folder->watch_count];
            return;
        }
}

void flow_folder_end(struct flow_folder *folder)
{
    for (size_t i = 0; i < folder->watch_count; i++)
        inotify_rm_watch(folder->inotify_fd, folder->watches[i].wd); /* it may be gone */
    free(folder->watches);
    if (folder->fd >= 0)
        close(folder->fd);
    flow_folder_init(folder, folder->queue, folder->inotify_fd, folder->events);
}
