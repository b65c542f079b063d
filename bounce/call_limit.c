/* call_limit - how often the bounce command of one Postfix runs */
#include "bounce/call_limit.h"

bool call_limit_is_sound(const struct call_limit *limit)
{
    return limit->next < CALL_LIMIT_MAX && limit->count <= CALL_LIMIT_MAX;
}

int64_t call_limit_wait_ms(const struct call_limit *limit, int calls, int64_t now_ms)
{
    int64_t called_ms;

    if (limit->count < (uint32_t)calls)
        return 0;
    called_ms = limit->call_ms[(limit->next + CALL_LIMIT_MAX - (uint32_t)calls) % CALL_LIMIT_MAX];
    if (called_ms > now_ms || now_ms - called_ms >= CALL_LIMIT_WINDOW_MS)
        return 0;
    return CALL_LIMIT_WINDOW_MS - (now_ms - called_ms);
}

void call_limit_note(struct call_limit *limit, int64_t now_ms)
{
    limit->call_ms[limit->next] = now_ms;
    limit->next = (limit->next + 1) % CALL_LIMIT_MAX;
    if (limit->count < CALL_LIMIT_MAX)
        limit->count++;
}
