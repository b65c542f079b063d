/* ask_walker - one thread that looks at the queues for all who ask at a time */
#include "monitor/ask_walker.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_over(void *arg)
{
    const struct ask_walker *walker = arg;

    return atomic_load(&walker->ends);
}

/* Wait until somebody asks. Returns false where the thread is to end. */
static bool wait_for_wish(struct ask_walker *walker)
{
    pthread_mutex_lock(&walker->lock);
    while (walker->asked_for == walker->begun && !atomic_load(&walker->ends))
        pthread_cond_wait(&walker->wanted, &walker->lock);
    walker->begun++;
    pthread_mutex_unlock(&walker->lock);
    return !atomic_load(&walker->ends);
}

static void put_answer(struct ask_walker *walker, char *answer)
{
    const uint64_t one = 1;
    ssize_t written;

    pthread_mutex_lock(&walker->lock);
    free(walker->answer); /* nobody has taken it: this one is newer */
    walker->answer = answer;
    walker->ended = walker->begun;
    walker->is_new = true;
    pthread_mutex_unlock(&walker->lock);
    written = write(walker->wake_fd, &one, sizeof one);
    (void)written; /* it fails where it would only repeat what stands there */
}

static void *walk_thread(void *arg)
{
    struct ask_walker *walker = arg;

    while (wait_for_wish(walker))
        put_answer(walker,
                   walker->source->answer(walker->source->arg, walker->detail, is_over, walker));
    return NULL;
}

bool ask_walker_start(struct ask_walker *walker, const struct ask_source *source,
                      enum survey_detail detail, int wake_fd)
{
    int error;

    *walker = (struct ask_walker){.source = source, .detail = detail, .wake_fd = wake_fd};
    atomic_init(&walker->ends, false);
    pthread_mutex_init(&walker->lock, NULL);
    pthread_cond_init(&walker->wanted, NULL);
    error = pthread_create(&walker->thread, NULL, walk_thread, walker);
    if (error == 0)
        return true;
    pthread_cond_destroy(&walker->wanted);
    pthread_mutex_destroy(&walker->lock);
    errno = error;
    return false;
}

uint64_t ask_walker_ask(struct ask_walker *walker)
{
    uint64_t number;

    pthread_mutex_lock(&walker->lock);
    number = walker->asked_for = walker->begun + 1;
    pthread_cond_signal(&walker->wanted);
    pthread_mutex_unlock(&walker->lock);
    return number;
}

uint64_t ask_walker_take(struct ask_walker *walker, char **answer_r)
{
    uint64_t number = 0;

    pthread_mutex_lock(&walker->lock);
    if (walker->is_new) {
        number = walker->ended;
        *answer_r = walker->answer;
        walker->answer = NULL;
        walker->is_new = false;
    }
    pthread_mutex_unlock(&walker->lock);
    return number;
}

void ask_walker_stop(struct ask_walker *walker)
{
    pthread_mutex_lock(&walker->lock);
    atomic_store(&walker->ends, true);
    pthread_cond_signal(&walker->wanted);
    pthread_mutex_unlock(&walker->lock);
    pthread_join(walker->thread, NULL);
    free(walker->answer);
    pthread_cond_destroy(&walker->wanted);
    pthread_mutex_destroy(&walker->lock);
}
