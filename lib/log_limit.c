/* log_limit - how often one kind of event goes to the log */
#include "lib/log_limit.h"

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
