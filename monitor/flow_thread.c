/* flow_thread - peg-monitor's thread that counts what goes through the queues, as it happens */
#include "monitor/flow_thread.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

static bool is_over(void *arg)
{
    struct flow_thread *thread = arg;

    return atomic_load(&thread->ends);
}

enum input { WAKE, ARRIVALS, EVENTS, INPUT_COUNT };

/* Let events come together, and read sizes meanwhile; until somebody wakes this thread. */
static void gather(struct flow_thread *thread, struct pollfd inputs[INPUT_COUNT])
{
    int64_t left_ms = flow_wait_ms(thread->flow);
    int64_t due_ms = clock_boot_ms() + left_ms;

    for (; left_ms > 0; left_ms = due_ms - clock_boot_ms()) {
        if (inputs[WAKE].revents != 0)
            return;
        if (inputs[ARRIVALS].revents != 0)
            flow_take_sizes(thread->flow);
        if (poll(inputs, EVENTS, (int)left_ms) < 0)
            return;
    }
}

/* Count all that has happened, and tell those who have asked for it. */
static void count(struct flow_thread *thread)
{
    uint64_t asked;

    pthread_mutex_lock(&thread->lock);
    asked = thread->asked;
    pthread_mutex_unlock(&thread->lock);
    flow_drain(thread->flow, is_over, thread);
    pthread_mutex_lock(&thread->lock);
    thread->answered = asked;
    pthread_cond_broadcast(&thread->counted);
    pthread_mutex_unlock(&thread->lock);
}

/* Have the thread count what has happened until now, and wait for that, but not for long. */
static void ask(struct flow_thread *thread)
{
    struct timespec until;
    uint64_t asked;
    int error = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += FLOW_THREAD_PATIENCE_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&thread->lock);
    asked = ++thread->asked;
    eventfd_write(thread->wake_fd, 1);
    while (thread->answered < asked && error == 0)
        error = pthread_cond_timedwait(&thread->counted, &thread->lock, &until);
    pthread_mutex_unlock(&thread->lock);
}

static void *run(void *arg)
{
    struct flow_thread *thread = arg;
    struct pollfd inputs[] = {
        [WAKE] = {.fd = thread->wake_fd, .events = POLLIN},
        [ARRIVALS] = {.fd = flow_arrivals_descriptor(thread->flow), .events = POLLIN},
        [EVENTS] = {.fd = flow_descriptor(thread->flow), .events = POLLIN}};
    eventfd_t wakes;

    while (!is_over(thread)) {
        count(thread);
        if (poll(inputs, INPUT_COUNT, -1) < 0 && errno != EINTR)
            break;
        gather(thread, inputs);
        if (inputs[WAKE].revents != 0)
            (void)!eventfd_read(thread->wake_fd, &wakes);
    }
    return NULL;
}

static void watch(struct flow_thread *thread, const struct settings *settings)
{
    char why[QUEUES_WHY_SIZE];
    bool ok = flow_watch(thread->flow, settings, why);

    if (!ok && !thread->is_unwatched)
        log_warn("mail that passes cannot be counted everywhere: %s", why);
    else if (ok && thread->is_unwatched)
        log_info("mail that passes is counted again");
    thread->is_unwatched = !ok;
}

static void init_lock(struct flow_thread *thread)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&thread->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&thread->counted, &attributes);
    pthread_condattr_destroy(&attributes);
}

void flow_thread_start(struct flow_thread *thread, const struct settings *settings)
{
    int error;

    *thread = (struct flow_thread){.flow = flow_open(FLOW_SIZES),
                                   .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    error = errno;
    atomic_init(&thread->ends, false);
    init_lock(thread);
    if (thread->flow != NULL && thread->wake_fd >= 0) {
        watch(thread, settings);
        error = pthread_create(&thread->thread, NULL, run, thread);
        if (error == 0)
            return;
    }
    log_warn("mail that passes is not counted: %s", strerror(error));
    flow_close(&thread->flow);
    if (thread->wake_fd >= 0)
        close(thread->wake_fd);
}

void flow_thread_round(struct flow_thread *thread, const struct settings *settings,
                       struct survey *survey)
{
    uint64_t overflows;

    if (thread->flow == NULL)
        return;
    watch(thread, settings);
    flow_thread_fill(thread, survey); /* there may be new folders to look at, too */
    overflows = flow_overflows(thread->flow);
    if (overflows != thread->overflows)
        log_warn("mail passed faster than it could be counted, %" PRIu64 " times since the start: "
                 "counters are too low; raise fs.inotify.max_queued_events with sysctl",
                 overflows);
    thread->overflows = overflows;
}

void flow_thread_fill(struct flow_thread *thread, struct survey *survey)
{
    if (thread->flow == NULL)
        return;
    ask(thread);
    flow_fill(thread->flow, survey);
}

void flow_thread_end(struct flow_thread *thread)
{
    if (thread->flow == NULL)
        return;
    atomic_store(&thread->ends, true);
    eventfd_write(thread->wake_fd, 1);
    pthread_join(thread->thread, NULL);
    close(thread->wake_fd);
    pthread_cond_destroy(&thread->counted);
    pthread_mutex_destroy(&thread->lock);
    flow_close(&thread->flow);
}
