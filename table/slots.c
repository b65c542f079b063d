/* slots - the decision table's memory: one writer, many readers, no lock */
#include "table/slots.h"

enum {
    TAG_EMPTY = 0,    /* no claim, and no claim of this cluster behind it */
    TAG_MOVING = 255, /* no claim for the moment; the cluster goes on behind it */
    SWEEP_PER_INSERT = 32,
    /* How long Postfix may go on using an answer: 30 s (src/global/resolve_clnt.c), and some. */
    CACHE_S = 35,
    SKEW_S = 3600
};

static unsigned word_tag(uint64_t word)
{
    return (unsigned)(word >> 16) & 0xff;
}

static int64_t word_time_ms(uint64_t word)
{
    return (int64_t)(word >> 24);
}

static uint64_t word_make(int64_t time_ms, unsigned tag, uint64_t generation)
{
    return (uint64_t)time_ms << 24 | (uint64_t)tag << 16 | (generation & 0xffff);
}

static bool word_has_claim(uint64_t word)
{
    return word_tag(word) != TAG_EMPTY && word_tag(word) != TAG_MOVING;
}

static int word_priority(uint64_t word)
{
    return (int)word_tag(word) - 1;
}

/* The same claim, used at now_ms. Time never goes back: two users may come in either order. */
static uint64_t word_refreshed(uint64_t word, int64_t now_ms)
{
    return now_ms > word_time_ms(word) ? word_make(now_ms, word_tag(word), word) : word;
}

size_t slots_needed(size_t capacity)
{
    return capacity + capacity / 3 * 2 + 2;
}

static size_t home_of(const struct slots *slots, uint64_t part)
{
    return (size_t)((unsigned __int128)part * slots->count >> 64);
}

static size_t next_of(const struct slots *slots, size_t at)
{
    return at + 1 == slots->count ? 0 : at + 1;
}

/* Acquire: whoever sees a new hash also sees that the word before it has changed. */
static bool hash_is(const struct slot *slot, const struct slots_hash *hash)
{
    return atomic_load_explicit(&slot->hash[0], memory_order_acquire) == hash->part[0] &&
           atomic_load_explicit(&slot->hash[1], memory_order_acquire) == hash->part[1];
}

/*
 * Find the claim for hash; its word as seen goes to word_r. Returns NULL where there is none.
 * seq_cst on words: a lookup that notes its miss and looks again, and a writer that claims and then
 * looks at the misses, must not both overlook the other.
 */
static struct slot *find(const struct slots *slots, const struct slots_hash *hash, uint64_t *word_r)
{
    uint64_t moves;

    do {
        size_t at = home_of(slots, hash->part[0]);

        moves = atomic_load_explicit(&slots->shared->moves, memory_order_acquire);
        for (size_t n = 0; n < slots->count; n++, at = next_of(slots, at)) {
            struct slot *slot = &slots->slot[at];
            uint64_t word = atomic_load_explicit(&slot->word, memory_order_seq_cst);
            uint64_t before;

            do { /* until word and hash are of one moment */
                before = word;
                if (!word_has_claim(word) || !hash_is(slot, hash))
                    break;
                word = atomic_load_explicit(&slot->word, memory_order_seq_cst);
                if (word == before) {
                    *word_r = word;
                    return slot;
                }
            } while (true);
            if (word_tag(word) == TAG_EMPTY)
                break;
        }
        /* A claim that was moved behind our back: its old place was given up after this count. */
    } while (atomic_load_explicit(&slots->shared->moves, memory_order_acquire) != moves);
    return NULL;
}

/* seq_cst: part of the same order as the loads in find(). On failure *word is what is there. */
static bool exchange(struct slot *slot, uint64_t *word, uint64_t wanted)
{
    return atomic_compare_exchange_strong_explicit(&slot->word, word, wanted, memory_order_seq_cst,
                                                   memory_order_seq_cst);
}

static int lookup_once(struct slots *slots, const struct slots_hash *hash, int64_t now_ms,
                       int *priority_r)
{
    uint64_t word;
    struct slot *slot;

    while ((slot = find(slots, hash, &word)) != NULL) {
        /* A claim that is replaced between find() and here makes this fail: look again. */
        if (exchange(slot, &word, word_refreshed(word, now_ms))) {
            *priority_r = word_priority(word);
            return 1;
        }
    }
    return 0;
}

static _Atomic uint32_t *miss_of(const struct slots *slots, const struct slots_hash *hash)
{
    return &slots->shared->misses[hash->part[1] % SLOTS_MISSES];
}

/*
 * Seconds from a noted miss to now_ms. Of its time 24 bits are known, and so one that seems to come
 * from the future is from long ago, unless it is near: another process has looked at the clock.
 */
static uint32_t miss_age_s(uint32_t miss, int64_t now_ms)
{
    uint32_t age_s = ((uint32_t)(now_ms / 1000) - (miss >> 8)) & 0xffffff;

    return age_s > 0xffffff - SKEW_S ? 0 : age_s;
}

/* Note a miss, unless a later one is there: of a reader who looked at the clock after this one. */
static void note_miss(const struct slots *slots, const struct slots_hash *hash, int priority,
                      int64_t now_ms)
{
    _Atomic uint32_t *place = miss_of(slots, hash);
    uint32_t now_s = (uint32_t)(now_ms / 1000) & 0xffffff;
    uint32_t noted = atomic_load_explicit(place, memory_order_seq_cst);

    while (noted == 0 || noted >> 8 == now_s || miss_age_s(noted, now_ms) > 0)
        if (atomic_compare_exchange_weak_explicit(place, &noted,
                                                  now_s << 8 | (uint32_t)(priority + 1),
                                                  memory_order_seq_cst, memory_order_seq_cst))
            break;
}

int slots_lookup(struct slots *slots, const struct slots_hash *hash, int default_priority,
                 int64_t now_ms, int *priority_r)
{
    if (lookup_once(slots, hash, now_ms, priority_r) == 1)
        return 1;
    note_miss(slots, hash, default_priority, now_ms);
    if (lookup_once(slots, hash, now_ms, priority_r) == 1)
        return 1;
    *priority_r = default_priority;
    return 0;
}

int slots_peek(const struct slots *slots, const struct slots_hash *hash, int *priority_r)
{
    uint64_t word;

    if (find(slots, hash, &word) == NULL)
        return 0;
    *priority_r = word_priority(word);
    return 1;
}

/* Whether Postfix may have an answer for this key in a cache that says another priority. */
static bool answered_otherwise(const struct slots *slots, const struct slots_hash *hash,
                               int priority, int64_t now_ms)
{
    uint32_t miss = atomic_load_explicit(miss_of(slots, hash), memory_order_seq_cst);

    return miss != 0 && (miss & 0xff) != (uint32_t)priority + 1 &&
           miss_age_s(miss, now_ms) <= CACHE_S;
}

/* Put a claim into a slot that holds none. */
static void fill(struct slot *slot, const struct slots_hash *hash, int64_t time_ms, unsigned tag)
{
    /* Relaxed: only the writer fills slots. */
    uint64_t generation = atomic_load_explicit(&slot->word, memory_order_relaxed) + 1;

    /* Release: orders them after the word that said "no claim here". */
    atomic_store_explicit(&slot->hash[0], hash->part[0], memory_order_release);
    atomic_store_explicit(&slot->hash[1], hash->part[1], memory_order_release);
    atomic_store_explicit(&slot->word, word_make(time_ms, tag, generation), memory_order_seq_cst);
}

static struct slots_hash hash_in(const struct slot *slot)
{
    /* Relaxed: the writer reads what it wrote itself. */
    return (struct slots_hash){{atomic_load_explicit(&slot->hash[0], memory_order_relaxed),
                                atomic_load_explicit(&slot->hash[1], memory_order_relaxed)}};
}

/* Move the claim in `from` to `to`, which holds none, while readers go on refreshing it. */
static void move(struct slots *slots, struct slot *to, struct slot *from)
{
    uint64_t word = atomic_load_explicit(&from->word, memory_order_seq_cst);
    struct slots_hash hash = hash_in(from);

    fill(to, &hash, word_time_ms(word), word_tag(word));
    /* Release: who sees `from` given up sees this count as well, and looks again. */
    atomic_fetch_add_explicit(&slots->shared->moves, 1, memory_order_release);
    while (!exchange(from, &word, word_make(0, TAG_MOVING, word))) {
        uint64_t copy = atomic_load_explicit(&to->word, memory_order_seq_cst);

        while (!exchange(to, &copy, word_refreshed(copy, word_time_ms(word))))
            ; /* `from` was refreshed meanwhile, and `to` again: readers own the time */
    }
}

/* Close the gap at `gap` (its slot says TAG_MOVING) by shifting the rest of the cluster back. */
static void close_gap(struct slots *slots, size_t gap)
{
    size_t at = gap;

    for (;;) {
        struct slot *slot;
        size_t home;

        at = next_of(slots, at);
        slot = &slots->slot[at];
        if (!word_has_claim(atomic_load_explicit(&slot->word, memory_order_relaxed)))
            break;
        home = home_of(slots, hash_in(slot).part[0]);
        /* A claim whose probing starts behind the gap stays. */
        if (gap < at ? (home > gap && home <= at) : (home > gap || home <= at))
            continue;
        move(slots, &slots->slot[gap], slot);
        gap = at;
    }
    atomic_store_explicit(&slots->slot[gap].word,
                          word_make(0, TAG_EMPTY, atomic_load(&slots->slot[gap].word)),
                          memory_order_seq_cst);
}

static bool is_expired(uint64_t word, int64_t lifetime_ms, int64_t now_ms)
{
    return now_ms - word_time_ms(word) > lifetime_ms;
}

/* Look at a few slots, and free what expired in them. */
static void sweep(struct slots *slots, int64_t lifetime_ms, int64_t now_ms)
{
    for (int n = 0; n < SWEEP_PER_INSERT; n++) {
        struct slot *slot = &slots->slot[slots->sweep];
        uint64_t word = atomic_load_explicit(&slot->word, memory_order_seq_cst);

        if (!word_has_claim(word) || !is_expired(word, lifetime_ms, now_ms) ||
            !exchange(slot, &word, word_make(0, TAG_MOVING, word))) {
            slots->sweep = next_of(slots, slots->sweep);
            continue;
        }
        close_gap(slots, slots->sweep); /* what stands here now is looked at next */
        atomic_fetch_sub_explicit(&slots->shared->claims, 1, memory_order_relaxed);
    }
}

static bool insert(struct slots *slots, const struct slots_hash *hash, int64_t time_ms,
                   unsigned tag)
{
    size_t at = home_of(slots, hash->part[0]);

    if (atomic_load_explicit(&slots->shared->claims, memory_order_relaxed) >= slots->capacity)
        return false;
    while (word_tag(atomic_load_explicit(&slots->slot[at].word, memory_order_relaxed)) != TAG_EMPTY)
        at = next_of(slots, at); /* ends: there are more slots than claims */
    fill(&slots->slot[at], hash, time_ms, tag);
    /* Relaxed: a figure for statistics and for the writer alone. */
    atomic_fetch_add_explicit(&slots->shared->claims, 1, memory_order_relaxed);
    return true;
}

/* Make the claim that is there ours, or refresh it, or find that it lives with another priority. */
static enum table_claim reclaim(struct slot *slot, uint64_t word, unsigned tag, int64_t lifetime_ms,
                                int64_t now_ms)
{
    for (;;) {
        uint64_t wanted;

        if (word_tag(word) == tag)
            wanted = word_refreshed(word, now_ms);
        else if (is_expired(word, lifetime_ms, now_ms))
            wanted = word_make(now_ms, tag, word);
        else
            return TABLE_CONFLICT;
        if (exchange(slot, &word, wanted))
            return TABLE_CLAIMED;
    }
}

enum table_claim slots_claim(struct slots *slots, const struct slots_hash *hash, int priority,
                             int64_t lifetime_ms, int64_t now_ms)
{
    unsigned tag = (unsigned)priority + 1;
    uint64_t word;
    struct slot *slot = find(slots, hash, &word);
    enum table_claim result = TABLE_CLAIMED;

    if (slot != NULL) {
        result = reclaim(slot, word, tag, lifetime_ms, now_ms);
    } else {
        /* Expired claims are of use to mail that waited longer than usual: freed only for room. */
        if (atomic_load_explicit(&slots->shared->claims, memory_order_relaxed) >
            slots->capacity / 2)
            sweep(slots, lifetime_ms, now_ms);
        if (!insert(slots, hash, now_ms, tag))
            return TABLE_FULL;
    }
    if (result == TABLE_CLAIMED && answered_otherwise(slots, hash, priority, now_ms))
        return TABLE_CONFLICT;
    return result;
}

size_t slots_adopt(struct slots *to, const struct slots *from, bool used_now, int64_t now_ms)
{
    size_t left_out = 0;

    for (size_t n = 0; n < from->count; n++) {
        uint64_t word = atomic_load_explicit(&from->slot[n].word, memory_order_seq_cst);
        struct slots_hash hash = hash_in(&from->slot[n]);

        if (word_has_claim(word) &&
            !insert(to, &hash, used_now ? now_ms : word_time_ms(word), word_tag(word)))
            left_out++;
    }
    return left_out;
}
