/* misses - which lookups without a claim were answered lately */
#include "table/misses.h"

enum {
    CACHE_S = 35, /* Postfix's 30 s, and some */
    SKEW_S = 3600,
    TIME_MASK = 0xffffff
};

static uint32_t miss_make(uint32_t time_s, int priority)
{
    return time_s << 8 | (uint32_t)(priority + 1);
}

static int miss_priority(uint32_t miss)
{
    return (int)(miss & 0xff) - 1;
}

/*
 * Seconds from a noted miss to now_ms. Of its time 24 bits are known, and so one that seems to come
 * from the future is from long ago, unless it is near: another process has looked at the clock.
 */
static uint32_t miss_age_s(uint32_t miss, int64_t now_ms)
{
    uint32_t age_s = ((uint32_t)(now_ms / 1000) - (miss >> 8)) & TIME_MASK;

    return age_s > TIME_MASK - SKEW_S ? 0 : age_s;
}

static bool is_recent(uint32_t miss, int64_t now_ms)
{
    return miss != 0 && miss_age_s(miss, now_ms) <= CACHE_S;
}

/* What a place says after one more answer: the later time, and the priority that both have. */
static uint32_t miss_merged(uint32_t noted, int priority, int64_t now_ms)
{
    uint32_t now_s = (uint32_t)(now_ms / 1000) & TIME_MASK;
    uint32_t time_s = now_s;

    if (is_recent(noted, now_ms)) {
        if (miss_age_s(noted, now_ms) == 0) /* of a reader who looked at the clock after this one */
            time_s = noted >> 8;
        if (miss_priority(noted) != priority)
            priority = MISSES_ANY_PRIORITY;
    }
    return miss_make(time_s, priority);
}

/* seq_cst here and below: a lookup that notes its miss and looks again, and a writer that claims
 * and then looks here, must not both overlook the other. */
void misses_note(struct misses *misses, uint64_t hash, int priority, int64_t now_ms)
{
    _Atomic uint32_t *place = &misses->place[hash % MISSES_PLACES];
    uint32_t noted = atomic_load_explicit(place, memory_order_seq_cst);

    while (!atomic_compare_exchange_weak_explicit(place, &noted,
                                                  miss_merged(noted, priority, now_ms),
                                                  memory_order_seq_cst, memory_order_seq_cst))
        ;
}

bool misses_contradict(const struct misses *misses, uint64_t hash, int priority, int64_t now_ms)
{
    uint32_t miss =
        atomic_load_explicit(&misses->place[hash % MISSES_PLACES], memory_order_seq_cst);

    return is_recent(miss, now_ms) && miss_priority(miss) != priority;
}
