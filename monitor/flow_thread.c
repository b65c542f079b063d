/* flow_thread - peg-monitor's thread that counts what goes through the queues, as it happens */
#include "monitor/flow_thread.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/log.h"

static bool is_over(void *arg)
{
    struct flow_thread *thread = arg;

    return atomic_load(&thread->ends);
}

static void *run(void *arg)
{
    struct flow_thread *thread = arg;
    struct pollfd waits[] = {{.fd = flow_descriptor(thread->flow), .events = POLLIN},
                             {.fd = thread->wake_fd, .events = POLLIN}};
    eventfd_t wakes;

    while (!is_over(thread)) {
        flow_drain(thread->flow, is_over, thread);
        if (poll(waits, sizeof waits / sizeof *waits, -1) < 0 && errno != EINTR)
            break;
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

void flow_thread_start(struct flow_thread *thread, const struct settings *settings)
{
    int error;

    *thread = (struct flow_thread){.flow = flow_open(),
                                   .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    error = errno;
    atomic_init(&thread->ends, false);
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
    eventfd_write(thread->wake_fd, 1); /* there may be new folders to look at */
    flow_fill(thread->flow, survey);
    overflows = flow_overflows(thread->flow);
    if (overflows != thread->overflows)
        log_warn("mail passed faster than it could be counted, %" PRIu64 " times since the start: "
                 "counters are too low; raise fs.inotify.max_queued_events with sysctl",
                 overflows);
    thread->overflows = overflows;
}

void flow_thread_fill(const struct flow_thread *thread, struct survey *survey)
{
    if (thread->flow != NULL)
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
    flow_close(&thread->flow);
}
