/* flow - what goes through the queues of all Postfixes of this host, by inotify(7) */
#include "survey/flow.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "lib/clock.h"
#include "survey/flow_count.h"
#include "survey/flow_folder.h"
#include "survey/queue_file.h"

static const enum queue watched[] = {QUEUE_INCOMING, QUEUE_ACTIVE, QUEUE_HOLD};

enum { WATCHED_COUNT = sizeof watched / sizeof *watched, BATCH_SIZE = 64 * 1024 };

struct flow_instance {
    char queue_dir[PATH_MAX];
    struct flow_folder folders[WATCHED_COUNT];
    struct flow_count count;
    bool must_look;    /* its messages are not known any more */
    const char *below; /* where the file of this event is */
    int look_fd;       /* or of this walk; -1: none */
};

struct flow {
    int inotify_fd;
    pthread_mutex_t lock;                                  /* of all below */
    bool is_looking;                                       /* instances stay as they are */
    struct flow_instance *instances[SURVEY_INSTANCES_MAX]; /* by place_of() */
    uint64_t overflows;
    bool is_watched;           /* all that the last settings want, but for what is not there */
    char why[QUEUES_WHY_SIZE]; /* it is not */
};

static size_t place_of(int instance)
{
    return (size_t)(instance - PEG_FIRST);
}

static int folder_of(const struct flow_instance *instance, enum queue queue)
{
    for (size_t i = 0; i < WATCHED_COUNT; i++)
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

struct flow *flow_open(void)
{
    struct flow *flow = calloc(1, sizeof *flow);

    if (flow == NULL)
        return NULL;
    flow->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (flow->inotify_fd < 0) {
        free(flow);
        return NULL;
    }
    pthread_mutex_init(&flow->lock, NULL);
    return flow;
}

int flow_descriptor(const struct flow *flow)
{
    return flow->inotify_fd;
}

static struct flow_instance *new_instance(void)
{
    struct flow_instance *instance = calloc(1, sizeof *instance);

    if (instance == NULL)
        return NULL;
    for (size_t i = 0; i < WATCHED_COUNT; i++)
        flow_folder_init(&instance->folders[i], watched[i]);
    instance->look_fd = -1;
    instance->count.read_size = read_size;
    instance->count.arg = instance;
    return instance;
}

static void free_instance(struct flow *flow, struct flow_instance **instance)
{
    if (*instance == NULL)
        return;
    for (size_t i = 0; i < WATCHED_COUNT; i++)
        flow_folder_end(&(*instance)->folders[i], flow->inotify_fd);
    flow_count_free(&(*instance)->count);
    free(*instance);
    *instance = NULL;
}

void flow_close(struct flow **flow)
{
    if (*flow == NULL)
        return;
    for (size_t i = 0; i < SURVEY_INSTANCES_MAX; i++)
        free_instance(*flow, &(*flow)->instances[i]);
    close((*flow)->inotify_fd);
    pthread_mutex_destroy(&(*flow)->lock);
    free(*flow);
    *flow = NULL;
}

struct looking {
    struct flow_instance *instance;
    enum queue queue;
    bool (*is_over)(void *arg); /* NULL: never */
    void *arg;
};

static bool is_over(const struct looking *looking)
{
    return looking->is_over != NULL && looking->is_over(looking->arg);
}

static bool found(void *arg, int dir_fd, const char *name)
{
    const struct looking *looking = arg;

    looking->instance->look_fd = dir_fd;
    flow_count_found(&looking->instance->count, looking->queue, name);
    return !is_over(looking);
}

/* A folder that cannot be read has no messages that are known: they leave without octets. */
static void look(struct looking *looking)
{
    struct flow_instance *instance = looking->instance;
    char why[QUEUES_WHY_SIZE];

    flow_count_look_begin(&instance->count);
    looking->queue = QUEUE_ACTIVE;
    (void)!queues_walk(instance->queue_dir, looking->queue, found, looking, why);
    looking->queue = QUEUE_INCOMING;
    (void)!queues_walk(instance->queue_dir, looking->queue, found, looking, why);
    flow_count_look_end(&instance->count);
    instance->look_fd = -1;
}

/* Look where it must be: with the lock, which others may have while folders are read. */
static void look_anew(struct flow *flow, struct looking *looking)
{
    for (size_t i = 0; i < SURVEY_INSTANCES_MAX; i++) {
        struct flow_instance *instance = flow->instances[i];

        if (instance == NULL || !instance->must_look)
            continue;
        instance->must_look = false;
        looking->instance = instance;
        flow->is_looking = true;
        pthread_mutex_unlock(&flow->lock);
        look(looking);
        pthread_mutex_lock(&flow->lock);
        flow->is_looking = false;
    }
}

/* Returns false with the reason where folders that are there cannot be watched. */
static bool watch_instance(struct flow *flow, struct flow_instance *instance,
                           char why_r[QUEUES_WHY_SIZE])
{
    struct survey_flow *total = &instance->count.total;
    bool is_changed = false;

    for (size_t i = 0; i < WATCHED_COUNT; i++)
        if (!flow_folder_watch(&instance->folders[i], flow->inotify_fd, instance->queue_dir,
                               &is_changed)) {
            total->is_known = false;
            if (errno == ENOENT || errno == ENOTDIR) /* Postfix makes it at its first start */
                return true;
            snprintf(why_r, QUEUES_WHY_SIZE, "%.400s/%s: %m, %s", instance->queue_dir,
                     queues_name(watched[i]),
                     errno == ENOSPC ? "raise fs.inotify.max_user_watches with sysctl"
                                     : queues_advice(errno));
            return false;
        }
    instance->must_look = instance->must_look || is_changed;
    total->is_known = true;
    if (total->since_ms == 0)
        total->since_ms = clock_wall_ms();
    return true;
}

/* With the lock. */
static void watch_all(struct flow *flow, const struct settings *settings)
{
    flow->is_watched = true;
    for (int n = PEG_FIRST; n < SETTINGS_PRIORITY_MAX; n++) {
        struct flow_instance **instance = &flow->instances[place_of(n)];
        char queue_dir[PATH_MAX];

        if (!settings_has(settings, n) || !survey_queue_dir(settings, n, queue_dir)) {
            free_instance(flow, instance);
        } else if (*instance != NULL || (*instance = new_instance()) != NULL) {
            memcpy((*instance)->queue_dir, queue_dir, sizeof queue_dir);
            flow->is_watched = watch_instance(flow, *instance, flow->why) && flow->is_watched;
        }
    }
}

bool flow_watch(struct flow *flow, const struct settings *settings, char why_r[QUEUES_WHY_SIZE])
{
    bool is_watched;

    pthread_mutex_lock(&flow->lock); /* events wait meanwhile */
    if (!flow->is_looking)
        watch_all(flow, settings);
    is_watched = flow->is_watched;
    memcpy(why_r, flow->why, sizeof flow->why);
    pthread_mutex_unlock(&flow->lock);
    return is_watched;
}

/* A folder was made in a watched one. */
static void subfolder(struct flow *flow, struct flow_instance *instance, struct flow_folder *folder,
                      const struct flow_watch *watch, const char *name)
{
    if (!flow_folder_add(folder, flow->inotify_fd, instance->queue_dir, watch, name))
        flow_folder_end(folder, flow->inotify_fd); /* flow_watch() tries again and tells why */
    instance->must_look = true;                    /* files may have come before the watch */
}

static void event_in(struct flow *flow, struct flow_instance *instance, struct flow_folder *folder,
                     const struct flow_watch *watch, const struct inotify_event *event,
                     int64_t now_ms)
{
    struct flow_event told = {.queue = folder->queue, .cookie = event->cookie, .name = event->name};

    if ((event->mask & IN_IGNORED) != 0) {
        flow_folder_ended(folder, flow->inotify_fd, event->wd);
        return;
    }
    if ((event->mask & IN_ISDIR) != 0) {
        if ((event->mask & (IN_CREATE | IN_MOVED_TO)) != 0)
            subfolder(flow, instance, folder, watch, event->name);
        return;
    }
    if ((event->mask & (IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE)) == 0)
        return;
    told.step = (event->mask & IN_MOVED_FROM) != 0 ? FLOW_MOVED_FROM
                : (event->mask & IN_MOVED_TO) != 0 ? FLOW_MOVED_TO
                                                   : FLOW_DELETED;
    instance->below = watch->below;
    flow_count_event(&instance->count, &told, now_ms);
}

static void count_event(struct flow *flow, const struct inotify_event *event, int64_t now_ms)
{
    if ((event->mask & IN_Q_OVERFLOW) != 0) {
        flow->overflows++;
        for (size_t i = 0; i < SURVEY_INSTANCES_MAX; i++)
            if (flow->instances[i] != NULL)
                flow->instances[i]->must_look = true;
        return;
    }
    for (size_t i = 0; i < SURVEY_INSTANCES_MAX; i++)
        for (size_t j = 0; flow->instances[i] != NULL && j < WATCHED_COUNT; j++) {
            struct flow_folder *folder = &flow->instances[i]->folders[j];
            const struct flow_watch *watch = flow_folder_find(folder, event->wd);

            if (watch != NULL) {
                event_in(flow, flow->instances[i], folder, watch, event, now_ms);
                return;
            }
        }
}

void flow_drain(struct flow *flow, bool (*is_over_now)(void *arg), void *arg)
{
    struct looking looking = {.is_over = is_over_now, .arg = arg};
    _Alignas(struct inotify_event) char batch[BATCH_SIZE];
    ssize_t len;

    do {
        pthread_mutex_lock(&flow->lock);
        look_anew(flow, &looking);
        len = read(flow->inotify_fd, batch, sizeof batch);
        for (ssize_t at = 0; at < len;) {
            const struct inotify_event *event = (const void *)(batch + at);

            count_event(flow, event, clock_wall_ms());
            look_anew(flow, &looking); /* before the moves of what is found are told */
            at += (ssize_t)(sizeof *event + event->len);
        }
        pthread_mutex_unlock(&flow->lock);
    } while (len > 0 && !is_over(&looking));
}

void flow_fill(struct flow *flow, struct survey *survey)
{
    pthread_mutex_lock(&flow->lock);
    for (size_t i = 0; i < survey->instance_count; i++) {
        const struct flow_instance *instance =
            flow->instances[place_of(survey->instances[i].instance)];

        if (instance != NULL && instance->count.total.is_known)
            survey->instances[i].flow = instance->count.total;
    }
    pthread_mutex_unlock(&flow->lock);
}

uint64_t flow_overflows(struct flow *flow)
{
    uint64_t overflows;

    pthread_mutex_lock(&flow->lock);
    overflows = flow->overflows;
    pthread_mutex_unlock(&flow->lock);
    return overflows;
}
