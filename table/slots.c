/* slots - the decision table's memory: one writer, many readers, no lock */
#include "table/slots.h"

#include "table/slots_word.h"

enum {
    SWEEP_PER_INSERT = 32,
    CLEAN_SCANS = 2 /* in a row: queued mail without a claim may escape one of them */
};

size_t slots_needed(size_t capacity)
{
    return capacity + capacity / 8 * 5 + 2;
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

/* One way along the cluster; a claim that is moved meanwhile may be passed by. */
static struct slot *find_once(const struct slots *slots, const struct slots_hash *hash,
                              uint64_t *word_r)
{
    size_t at = home_of(slots, hash->part[0]);

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
    return NULL;
}

/*
 * Find the claim for hash; its word as seen goes to word_r. Returns NULL where there is none.
 * seq_cst on words: a lookup that notes its miss and looks again, and a writer that claims and then
 * looks at the misses, must not both overlook the other.
 */
static struct slot *find(const struct slots *slots, const struct slots_hash *hash, uint64_t *word_r)
{
    struct slot *slot;
    uint64_t moves;

    /*
     * A claim that was moved behind our back: its old place was given up after this count. What was
     * found instead is a copy that a killed writer left behind, and may say another priority.
     */
    do {
        moves = atomic_load_explicit(&slots->shared->moves, memory_order_acquire);
        slot = find_once(slots, hash, word_r);
    } while (atomic_load_explicit(&slots->shared->moves, memory_order_acquire) != moves);
    return slot;
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

int slots_lookup(struct slots *slots, const struct slots_hash *hash, int miss_priority,
                 int64_t now_ms, int *priority_r)
{
    if (lookup_once(slots, hash, now_ms, priority_r) == 1)
        return 1;
    misses_note(&slots->shared->misses, hash->part[1], miss_priority, now_ms);
    if (lookup_once(slots, hash, now_ms, priority_r) == 1)
        return 1;
    *priority_r = miss_priority;
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

int slots_refresh(struct slots *slots, const struct slots_hash *hash, int64_t now_ms)
{
    int priority;

    return lookup_once(slots, hash, now_ms, &priority);
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
        unsigned tag;
        size_t home;

        at = next_of(slots, at);
        slot = &slots->slot[at];
        tag = word_tag(atomic_load_explicit(&slot->word, memory_order_relaxed));
        if (tag == TAG_EMPTY)
            break;
        if (tag == TAG_MOVING) /* of a writer that was killed: the cluster goes on behind it */
            continue;
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

/* Acquire: whoever knows of a scan, also sees what it refreshed, or cannot exchange the word. */
static bool is_needed(const struct slots *slots, uint64_t word)
{
    return word_time_ms(word) >=
           atomic_load_explicit(&slots->shared->scans_ms[0], memory_order_acquire);
}

/* Whether nobody needs a claim any more. */
static bool is_free(struct slots *slots, uint64_t word, int64_t lifetime_ms, int64_t now_ms)
{
    if (now_ms - word_time_ms(word) <= lifetime_ms)
        return false;
    if (!is_needed(slots, word))
        return true;
    atomic_fetch_or_explicit(&slots->shared->wanted, TABLE_WANT_SCAN, memory_order_relaxed);
    return false;
}

void slots_scanned(struct slots *slots, int64_t began_ms, bool is_clean)
{
    struct slots_shared *shared = slots->shared;
    /* Relaxed: nobody else writes them. */
    int64_t before_ms = atomic_load_explicit(&shared->scans_ms[1], memory_order_relaxed);
    uint32_t unsure = atomic_load_explicit(&shared->unsure, memory_order_relaxed);

    /* Release: see is_needed(). */
    atomic_store_explicit(&shared->scans_ms[0], before_ms, memory_order_release);
    atomic_store_explicit(&shared->scans_ms[1], began_ms, memory_order_release);
    if (unsure > 0)
        atomic_store_explicit(&shared->unsure, is_clean ? unsure - 1 : CLEAN_SCANS,
                              memory_order_relaxed);
}

/* Look at a few slots, and free what expired in them. */
static void sweep(struct slots *slots, int64_t lifetime_ms, int64_t now_ms)
{
    for (int n = 0; n < SWEEP_PER_INSERT; n++) {
        struct slot *slot = &slots->slot[slots->sweep];
        uint64_t word = atomic_load_explicit(&slot->word, memory_order_seq_cst);
        bool is_gap = word_has_claim(word) && is_free(slots, word, lifetime_ms, now_ms) &&
                      exchange(slot, &word, word_make(0, TAG_MOVING, word));

        if (!is_gap && word_tag(word) != TAG_MOVING) { /* that: of a writer that was killed */
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
static enum table_claim reclaim(struct slots *slots, struct slot *slot, uint64_t word, unsigned tag,
                                int64_t lifetime_ms, int64_t now_ms)
{
    for (;;) {
        uint64_t wanted;

        if (word_tag(word) == tag)
            wanted = word_refreshed(word, now_ms);
        else if (is_free(slots, word, lifetime_ms, now_ms))
            wanted = word_make(now_ms, tag, word);
        else
            return TABLE_CONFLICT;
        if (exchange(slot, &word, wanted))
            return TABLE_CLAIMED;
    }
}

static enum table_claim claim_new(struct slots *slots, const struct slots_hash *hash, unsigned tag,
                                  int64_t lifetime_ms, int64_t now_ms)
{
    /* Expired claims are of use to mail that waited longer than usual: freed only for room. */
    if (atomic_load_explicit(&slots->shared->claims, memory_order_relaxed) > slots->capacity / 2)
        sweep(slots, lifetime_ms, now_ms);
    return insert(slots, hash, now_ms, tag) ? TABLE_CLAIMED : TABLE_FULL;
}

/* Whether a cache may still have answers of a table before this one. */
static bool answers_are_unknown(const struct slots *slots, int64_t now_ms)
{
    int64_t until_ms = atomic_load_explicit(&slots->shared->unknown_until_ms, memory_order_relaxed);

    return until_ms > 0 && now_ms - until_ms <= MISSES_CACHED_MS;
}

static bool is_unsure(const struct slots *slots)
{
    return atomic_load_explicit(&slots->shared->unsure, memory_order_relaxed) > 0;
}

/*
 * Queued mail of any priority may have lost its claim on this key. It is answered with the highest,
 * and so it has to stay, when the table is not unsure any more, too.
 */
static enum table_claim claim_for_lost(struct slots *slots, const struct slots_hash *hash,
                                       int64_t lifetime_ms, int64_t now_ms)
{
    enum table_claim result = claim_new(slots, hash, TABLE_PRIORITY_MAX + 1, lifetime_ms, now_ms);

    return result == TABLE_CLAIMED ? TABLE_TOO_EARLY : result;
}

enum table_claim slots_claim(struct slots *slots, const struct slots_hash *hash, int priority,
                             int64_t lifetime_ms, int64_t now_ms)
{
    const struct misses *misses = &slots->shared->misses;
    unsigned tag = (unsigned)priority + 1;
    enum table_claim result;
    struct slot *slot;
    uint64_t word;

    if (answers_are_unknown(slots, now_ms))
        return TABLE_TOO_EARLY;
    slot = find(slots, hash, &word);
    if (slot != NULL)
        result = reclaim(slots, slot, word, tag, lifetime_ms, now_ms);
    else if (is_unsure(slots))
        result = claim_for_lost(slots, hash, lifetime_ms, now_ms);
    else if (misses_contradict(misses, hash->part[1], priority, now_ms))
        result = TABLE_CONFLICT;
    else
        result = claim_new(slots, hash, tag, lifetime_ms, now_ms);
    /* Again: an answer may have been given before anybody could see the claim. */
    if (result == TABLE_CLAIMED && misses_contradict(misses, hash->part[1], priority, now_ms))
        result = TABLE_CONFLICT;
    return result;
}

void slots_be_unsure(struct slots *slots)
{
    atomic_store_explicit(&slots->shared->unsure, CLEAN_SCANS, memory_order_relaxed);
    atomic_fetch_or_explicit(&slots->shared->wanted, TABLE_WANT_SCAN, memory_order_relaxed);
}

bool slots_set(struct slots *slots, const struct slots_hash *hash, int priority, int64_t now_ms)
{
    uint64_t word;

    return find(slots, hash, &word) != NULL || insert(slots, hash, now_ms, (unsigned)priority + 1);
}

/* Relaxed: it is not shared yet. */
static void adopt_shared(struct slots_shared *to, const struct slots_shared *from)
{
    for (size_t n = 0; n < MISSES_PLACES; n++)
        atomic_store_explicit(&to->misses.place[n], atomic_load(&from->misses.place[n]),
                              memory_order_relaxed);
    for (size_t n = 0; n < TABLE_COUNTERS; n++)
        atomic_store_explicit(&to->counters[n], atomic_load(&from->counters[n]),
                              memory_order_relaxed);
    atomic_store_explicit(&to->unknown_until_ms, atomic_load(&from->unknown_until_ms),
                          memory_order_relaxed);
    atomic_store_explicit(&to->unsure, atomic_load(&from->unsure), memory_order_relaxed);
    atomic_store_explicit(&to->wanted, atomic_load(&from->wanted), memory_order_relaxed);
}

size_t slots_adopt(struct slots *to, const struct slots *from)
{
    size_t left_out = 0;

    adopt_shared(to->shared, from->shared);
    for (size_t n = 0; n < from->count; n++) {
        uint64_t word = atomic_load_explicit(&from->slot[n].word, memory_order_seq_cst);
        struct slots_hash hash = hash_in(&from->slot[n]);
        uint64_t found;

        if (!word_has_claim(word) || find(from, &hash, &found) != &from->slot[n])
            continue; /* a copy that was left behind by a writer that was killed while moving */
        if (!insert(to, &hash, word_time_ms(word), word_tag(word)))
            left_out++;
    }
    return left_out;
}
