/*
 * slots_word - the word of a slot: time of last use in ms, 40 bits; tag, 8; generation, 16
 *
 * For slots.c alone. Pure.
 */
#ifndef PEG_SLOTS_WORD_H
#define PEG_SLOTS_WORD_H

#include <stdbool.h>
#include <stdint.h>

/* Between them: a claim, its priority + 1. */
enum {
    TAG_EMPTY = 0,   /* no claim, and no claim of this cluster behind it */
    TAG_MOVING = 255 /* no claim for the moment; the cluster goes on behind it */
};

static inline unsigned word_tag(uint64_t word)
{
    return (unsigned)(word >> 16) & 0xff;
}

static inline int64_t word_time_ms(uint64_t word)
{
    return (int64_t)(word >> 24);
}

static inline uint64_t word_make(int64_t time_ms, unsigned tag, uint64_t generation)
{
    return (uint64_t)time_ms << 24 | (uint64_t)tag << 16 | (generation & 0xffff);
}

static inline bool word_has_claim(uint64_t word)
{
    return word_tag(word) != TAG_EMPTY && word_tag(word) != TAG_MOVING;
}

static inline int word_priority(uint64_t word)
{
    return (int)word_tag(word) - 1;
}

/* The same claim, used at now_ms. Time never goes back: two users may come in either order. */
static inline uint64_t word_refreshed(uint64_t word, int64_t now_ms)
{
    return now_ms > word_time_ms(word) ? word_make(now_ms, word_tag(word), word) : word;
}

#endif
