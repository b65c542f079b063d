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
#include "survey/flow_instance.h"

/* Of one read: some 2000 events, and the room that the longest of them may need. */
enum { BATCH_SIZE = 64 * 1024, EVENT_SIZE_MAX = sizeof(struct inotify_event) + NAME_MAX + 1 };

struct flow {
    int inotify_fd;
    int arrivals_fd;                                       /* the same, of arrivals; -1: no sizes */
    pthread_mutex_t lock;                                  /* of all below */
    bool is_looking;                                       /* instances stay as they are */
    bool must_look;                                        /* one of them */
    struct flow_instance *instances[SURVEY_INSTANCES_MAX]; /* by place_of() */
    uint64_t overflows;
    bool is_watched;           /* all that the last settings want, but for what is not there */
    char why[QUEUES_WHY_SIZE]; /* it is not */
};

static size_t place_of(int instance)
{
    return (size_t)(instance - PEG_FIRST);
}

struct flow *flow_open(enum flow_detail detail)
{
    struct flow *flow = calloc(1, sizeof *flow);

    if (flow == NULL)
        return NULL;
    flow->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    flow->arrivals_fd = detail == FLOW_SIZES ? inotify_init1(IN_NONBLOCK | IN_CLOEXEC) : -1;
    pthread_mutex_init(&flow->lock, NULL);
    if (flow->inotify_fd < 0 || (detail == FLOW_SIZES && flow->arrivals_fd < 0))
        flow_close(&flow);
    return flow;
}

int flow_descriptor(const struct flow *flow)
{
    return flow->inotify_fd;
}

int flow_arrivals_descriptor(const struct flow *flow)
{
    return flow->arrivals_fd;
}

void flow_close(struct flow **flow)
{
    int error = errno;

    if (*flow == NULL)
        return;
    for (size_t i = 0; i < SURVEY_INSTANCES_MAX; i++)
        flow_instance_free(&(*flow)->instances[i]);
    if ((*flow)->inotify_fd >= 0)
        close((*flow)->inotify_fd);
    if ((*flow)->arrivals_fd >= 0)
        close((*flow)->arrivals_fd);
    pthread_mutex_destroy(&(*flow)->lock);
    free(*flow);
    *flow = NULL;
    errno = error;
}

/* Who wants the end of a look. */
struct ending {
    bool (*is_over)(void *arg); /* NULL: nobody */
    void *arg;
};

/* Look where it must be: with the lock, which others may have while folders are read. */
static void look_anew(struct flow *flow, const struct ending *ending)
{
    if (!flow->must_look)
        return;
    flow->must_look = false;
    for (size_t i = 0; i < SURVEY_INSTANCES_MAX; i++) {
        struct flow_instance *instance = flow->instances[i];

        if (instance == NULL || !instance->must_look)
            continue;
        flow->is_looking = true;
        pthread_mutex_unlock(&flow->lock);
        flow_instance_look(instance, ending->is_over, ending->arg);
        pthread_mutex_lock(&flow->lock);
        flow->is_looking = false;
    }
}

/* With the lock. */
static void watch_all(struct flow *flow, const struct settings *settings)
{
    flow->is_watched = true;
    for (int n = PEG_FIRST; n < SETTINGS_PRIORITY_MAX; n++) {
        struct flow_instance **instance = &flow->instances[place_of(n)];
        char queue_dir[PATH_MAX];

        if (!settings_has(settings, n) || !survey_queue_dir(settings, n, queue_dir)) {
            flow_instance_free(instance);
        } else if (*instance != NULL ||
                   (*instance = flow_instance_new(flow->inotify_fd, flow->arrivals_fd)) != NULL) {
            memcpy((*instance)->queue_dir, queue_dir, sizeof queue_dir);
            flow->is_watched = flow_instance_watch(*instance, flow->why) && flow->is_watched;
            flow->must_look = flow->must_look || (*instance)->must_look;
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

static void take_event(struct flow *flow, int inotify_fd, const struct inotify_event *event,
                       int64_t now_ms)
{
    for (size_t i = 0; i < SURVEY_INSTANCES_MAX; i++) {
        struct flow_instance *instance = flow->instances[i];

        if (instance != NULL && flow_instance_event(instance, inotify_fd, event, now_ms)) {
            flow->must_look = flow->must_look || instance->must_look;
            return;
        }
    }
}

static void lost_events(struct flow *flow)
{
    flow->overflows++;
    flow->must_look = true;
    for (size_t i = 0; i < SURVEY_INSTANCES_MAX; i++)
        if (flow->instances[i] != NULL)
            flow_instance_lost(flow->instances[i]);
}

/* Take the events of one read, with the lock. Returns whether there may be more. */
static bool take_batch(struct flow *flow, int inotify_fd, const struct ending *ending)
{
    _Alignas(struct inotify_event) char batch[BATCH_SIZE];
    ssize_t len = read(inotify_fd, batch, sizeof batch);
    int64_t now_ms = clock_wall_ms();

    for (ssize_t at = 0; at < len;) {
        const struct inotify_event *event = (const void *)(batch + at);

        if ((event->mask & IN_Q_OVERFLOW) == 0)
            take_event(flow, inotify_fd, event, now_ms);
        else if (inotify_fd == flow->inotify_fd)
            lost_events(flow);
        if (inotify_fd == flow->inotify_fd)
            look_anew(flow, ending); /* before the moves of what is found are told */
        at += (ssize_t)(sizeof *event + event->len);
    }
    return len > BATCH_SIZE - EVENT_SIZE_MAX;
}

void flow_take_sizes(struct flow *flow)
{
    bool has_more = flow->arrivals_fd >= 0;

    while (has_more) {
        pthread_mutex_lock(&flow->lock);
        has_more = take_batch(flow, flow->arrivals_fd, NULL);
        pthread_mutex_unlock(&flow->lock);
    }
}

void flow_drain(struct flow *flow, bool (*is_over)(void *arg), void *arg)
{
    const struct ending ending = {.is_over = is_over, .arg = arg};
    bool has_more;

    do {
        flow_take_sizes(flow);
        pthread_mutex_lock(&flow->lock);
        look_anew(flow, &ending);
        has_more = take_batch(flow, flow->inotify_fd, &ending);
        pthread_mutex_unlock(&flow->lock);
    } while (has_more && (is_over == NULL || !is_over(arg)));
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

int flow_wait_ms(struct flow *flow)
{
    int wait_ms = FLOW_WAIT_MS;

    pthread_mutex_lock(&flow->lock);
    for (size_t i = 0; i < SURVEY_INSTANCES_MAX; i++)
        if (flow->instances[i] != NULL && flow_instance_is_hashed(flow->instances[i]))
            wait_ms = 0;
    pthread_mutex_unlock(&flow->lock);
    return wait_ms;
}

uint64_t flow_overflows(struct flow *flow)
{
    uint64_t overflows;

    pthread_mutex_lock(&flow->lock);
    overflows = flow->overflows;
    pthread_mutex_unlock(&flow->lock);
    return overflows;
}
