/* flow_instance - the queues of one Postfix under watch, and what goes through them */
#include "survey/flow_instance.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "survey/queue_file.h"

static const enum queue watched[FLOW_FOLDERS] = {QUEUE_INCOMING, QUEUE_ACTIVE, QUEUE_HOLD};

static int folder_of(const struct flow_instance *instance, enum queue queue)
{
    for (size_t i = 0; i < FLOW_FOLDERS; i++)
        if (watched[i] == queue)
            return instance->folders[i].fd;
    return -1;
}

static bool read_size(void *arg, enum queue queue, const char *name, struct flow_size *size_r)
{
    const struct flow_instance *instance = arg;
    char path[FLOW_BELOW_SIZE + NAME_MAX];
    struct queue_file file;
    int found;

    if (instance->look_fd >= 0) {
        found = queue_file_read(instance->look_fd, name, &file);
    } else {
        snprintf(path, sizeof path, "%s%s", instance->below, name);
        found = queue_file_read(folder_of(instance, queue), path, &file);
    }
    if (found == 1)
        *size_r = (struct flow_size){.octets = file.octets, .recipients = file.recipients};
    return found == 1;
}

static bool read_no_size(void *arg, enum queue queue, const char *name, struct flow_size *size_r)
{
    (void)arg;
    (void)queue;
    (void)name;
    (void)size_r;
    return false;
}

struct flow_instance *flow_instance_new(int inotify_fd, int arrivals_fd)
{
    struct flow_instance *instance = calloc(1, sizeof *instance);

    if (instance == NULL)
        return NULL;
    for (size_t i = 0; i < FLOW_FOLDERS; i++)
        flow_folder_init(&instance->folders[i], watched[i], inotify_fd,
                         IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE);
    flow_folder_init(&instance->arrivals, QUEUE_ACTIVE, arrivals_fd, IN_MOVED_TO);
    instance->look_fd = -1;
    instance->count.read_size = arrivals_fd >= 0 ? read_size : read_no_size;
    instance->count.arg = instance;
    return instance;
}

void flow_instance_free(struct flow_instance **instance)
{
    if (*instance == NULL)
        return;
    for (size_t i = 0; i < FLOW_FOLDERS; i++)
        flow_folder_end(&(*instance)->folders[i]);
    flow_folder_end(&(*instance)->arrivals);
    flow_count_free(&(*instance)->count);
    free(*instance);
    *instance = NULL;
}

/* Returns false with errno, and the queue that is not watched. */
static bool watch_folders(struct flow_instance *instance, enum queue *queue_r)
{
    bool is_other = false; /* nothing is to be looked at for arrivals */

    for (size_t i = 0; i < FLOW_FOLDERS; i++) {
        *queue_r = watched[i];
        if (!flow_folder_watch(&instance->folders[i], instance->queue_dir, &instance->must_forget))
            return false;
    }
    instance->must_look = instance->must_look || instance->must_forget;
    *queue_r = QUEUE_ACTIVE;
    return instance->arrivals.inotify_fd < 0 ||
           flow_folder_watch(&instance->arrivals, instance->queue_dir, &is_other);
}

bool flow_instance_watch(struct flow_instance *instance, char why_r[QUEUES_WHY_SIZE])
{
    struct survey_flow *total = &instance->count.total;
    enum queue queue;

    total->is_known = watch_folders(instance, &queue);
    if (!total->is_known) {
        if (errno == ENOENT || errno == ENOTDIR) /* Postfix makes it at its first start */
            return true;
        snprintf(why_r, QUEUES_WHY_SIZE, "%.400s/%s: %m, %s", instance->queue_dir,
                 queues_name(queue),
                 errno == ENOSPC ? "raise fs.inotify.max_user_watches with sysctl"
                                 : queues_advice(errno));
        return false;
    }
    if (total->since_ms == 0)
        total->since_ms = clock_wall_ms();
    return true;
}

struct looking {
    struct flow_instance *instance;
    enum queue queue;
    bool (*is_over)(void *arg); /* NULL: never */
    void *arg;
};

static bool found(void *arg, int dir_fd, const char *name)
{
    const struct looking *looking = arg;

    looking->instance->look_fd = dir_fd;
    flow_count_found(&looking->instance->count, looking->queue, name);
    return looking->is_over == NULL || !looking->is_over(looking->arg);
}

void flow_instance_look(struct flow_instance *instance, bool (*is_over)(void *arg), void *arg)
{
    struct looking looking = {.instance = instance, .is_over = is_over, .arg = arg};
    bool is_anew = instance->must_forget;
    char why[QUEUES_WHY_SIZE];

    instance->must_look = false;
    instance->must_forget = false;
    if (is_anew)
        flow_count_look_begin(&instance->count);
    looking.queue = QUEUE_ACTIVE;
    (void)!queues_walk(instance->queue_dir, looking.queue, found, &looking, why);
    looking.queue = QUEUE_INCOMING;
    (void)!queues_walk(instance->queue_dir, looking.queue, found, &looking, why);
    if (is_anew)
        flow_count_look_end(&instance->count);
    instance->look_fd = -1;
}

bool flow_instance_is_hashed(const struct flow_instance *instance)
{
    for (size_t i = 0; i < FLOW_FOLDERS; i++)
        if (instance->folders[i].watch_count > 1)
            return true;
    return false;
}

void flow_instance_lost(struct flow_instance *instance)
{
    instance->must_look = true;
    instance->must_forget = true;
}

/* A subfolder was made in a watched folder. */
static void subfolder(struct flow_instance *instance, struct flow_folder *folder,
                      const struct flow_watch *watch, const char *name)
{
    if (!flow_folder_add(folder, instance->queue_dir, watch, name))
        flow_folder_end(folder); /* flow_instance_watch() tries again and tells why */
    if (folder != &instance->arrivals)
        instance->must_look = true; /* files may have come before the watch */
}

static void file_moved(struct flow_instance *instance, const struct flow_folder *folder,
                       const struct inotify_event *event, int64_t now_ms)
{
    struct flow_event told = {.queue = folder->queue, .cookie = event->cookie, .name = event->name};

    if (folder == &instance->arrivals) {
        if ((event->mask & IN_MOVED_TO) != 0)
            flow_count_arrived(&instance->count, event->name);
        return;
    }
    told.step = (event->mask & IN_MOVED_FROM) != 0 ? FLOW_MOVED_FROM
                : (event->mask & IN_MOVED_TO) != 0 ? FLOW_MOVED_TO
                                                   : FLOW_DELETED;
    flow_count_event(&instance->count, &told, now_ms);
}

/* The folder that has this watch; NULL: none. */
static struct flow_folder *find_folder(struct flow_instance *instance, int inotify_fd, int wd,
                                       const struct flow_watch **watch_r)
{
    if (inotify_fd == instance->arrivals.inotify_fd)
        return (*watch_r = flow_folder_find(&instance->arrivals, wd)) != NULL ? &instance->arrivals
                                                                              : NULL;
    for (size_t i = 0; i < FLOW_FOLDERS; i++)
        if ((*watch_r = flow_folder_find(&instance->folders[i], wd)) != NULL)
            return &instance->folders[i];
    return NULL;
}

bool flow_instance_event(struct flow_instance *instance, int inotify_fd,
                         const struct inotify_event *event, int64_t now_ms)
{
    const struct flow_watch *watch;
    struct flow_folder *folder = find_folder(instance, inotify_fd, event->wd, &watch);

    if (folder == NULL)
        return false;
    instance->below = watch->below;
    if ((event->mask & IN_IGNORED) != 0) {
        flow_folder_ended(folder, event->wd);
    } else if ((event->mask & IN_ISDIR) != 0) {
        if ((event->mask & (IN_CREATE | IN_MOVED_TO)) != 0)
            subfolder(instance, folder, watch, event->name);
    } else if ((event->mask & (IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE)) != 0) {
        file_moved(instance, folder, event, now_ms);
    }
    return true;
}
