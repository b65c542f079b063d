/* log_limit - how often one kind of event goes to the log */
#include "lib/log_limit.h"

#include <pthread.h>

static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER; /* of all: they are rare */

bool log_limit_pass(struct log_limit *limit, int64_t now_ms, uint64_t *held_back_r)
{
    if (limit->has_passed && now_ms - limit->passed_ms < LOG_LIMIT_INTERVAL_MS) {
        limit->held_back++;
        return false;
    }
    *held_back_r = limit->held_back;
    *limit = (struct log_limit){.has_passed = true, .passed_ms = now_ms};
    return true;
}

bool log_limit_pass_shared(struct log_limit *limit, int64_t now_ms, uint64_t *held_back_r)
{
    bool pass;

    pthread_mutex_lock(&shared_lock);
    pass = log_limit_pass(limit, now_ms, held_back_r);
    pthread_mutex_unlock(&shared_lock);
    return pass;
}
