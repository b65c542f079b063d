/* misses - which lookups without a claim were answered lately */
#include "table/misses.h"

static uint64_t miss_make(int64_t time_ms, int priority)
{
    return (uint64_t)time_ms << 8 | (uint64_t)(priority + 1);
}

static int64_t miss_time_ms(uint64_t miss)
{
    return (int64_t)(miss >> 8);
}

static int miss_priority(uint64_t miss)
{
    return (int)(miss & 0xff) - 1;
}

/* One from the future is recent: another process has looked at the clock after this one. */
static bool is_recent(uint64_t miss, int64_t now_ms)
{
    return miss != 0 && now_ms - miss_time_ms(miss) <= MISSES_CACHED_MS;
}

/* What a place says after one more answer: the later time, and the priority that both have. */
static uint64_t miss_merged(uint64_t noted, int priority, int64_t now_ms)
{
    int64_t time_ms = now_ms;

    if (is_recent(noted, now_ms)) {
        if (miss_time_ms(noted) > now_ms)
            time_ms = miss_time_ms(noted);
        if (miss_priority(noted) != priority)
            priority = MISSES_ANY_PRIORITY;
    }
    return miss_make(time_ms, priority);
}

/* seq_cst here and below: a lookup that notes its miss and looks again, and a writer that claims
 * and then looks here, must not both overlook the other. */
void misses_note(struct misses *misses, uint64_t hash, int priority, int64_t now_ms)
{
    _Atomic uint64_t *place = &misses->place[hash % MISSES_PLACES];
    uint64_t noted = atomic_load_explicit(place, memory_order_seq_cst);

    while (!atomic_compare_exchange_weak_explicit(place, &noted,
                                                  miss_merged(noted, priority, now_ms),
                                                  memory_order_seq_cst, memory_order_seq_cst))
        ;
}

bool misses_contradict(const struct misses *misses, uint64_t hash, int priority, int64_t now_ms)
{
    uint64_t miss =
        atomic_load_explicit(&misses->place[hash % MISSES_PLACES], memory_order_seq_cst);

    return is_recent(miss, now_ms) && miss_priority(miss) != priority;
}
