/* drain - a stop waits for the messages that are being decided */
#include "milter/drain.h"

#include <pthread.h>
#include <stdbool.h>

#include "lib/clock.h"

enum { POLL_MS = 10, ANSWER_MS = 50 /* libmilter sends it after the callback has returned */ };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static unsigned entered;
static bool has_begun;

void drain_enter(void)
{
    pthread_mutex_lock(&lock);
    while (has_begun)
        pthread_cond_wait(&never, &lock);
    entered++;
    pthread_mutex_unlock(&lock);
}

void drain_leave(void)
{
    pthread_mutex_lock(&lock);
    entered--;
    pthread_mutex_unlock(&lock);
}

static unsigned left(void)
{
    unsigned count;

    pthread_mutex_lock(&lock);
    has_begun = true;
    count = entered;
    pthread_mutex_unlock(&lock);
    return count;
}

unsigned drain(long timeout_ms)
{
    unsigned count;

    for (; (count = left()) > 0 && timeout_ms > 0; timeout_ms -= POLL_MS)
        clock_sleep_ms(POLL_MS);
    clock_sleep_ms(ANSWER_MS);
    return count;
}
