/*
 * address_set - the mailboxes seen in the To and Resent-To fields of one message.
 *
 * Each field gets one block of memory for its addresses, folded to lower case, so that members can
 * point into it. The array of members is sorted when the first lookup needs it.
 */
#include "milter/address_set.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "milter/address.h"

#define FIRST_CAPACITY 16

struct member {
    const char *addr; /* folded, in one of the blocks */
    size_t addr_len;
};

struct block {
    struct block *next;
    size_t used;
    char bytes[];
};

struct address_set {
    struct block *blocks; /* the newest first */
    struct member *members;
    size_t count;
    size_t capacity;
    bool sorted;
};

/*
 * RFC 5321 2.4 lets a host tell local parts apart by case, but none that matters does, and senders
 * write To with whatever case their address book has. A recipient who stands in To must not become
 * a cc recipient for that. tolower() would depend on the locale.
 */
static char fold(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

/* The length without the dot that makes `example.com.` fully qualified. */
static size_t length_to_compare(const char *addr, size_t addr_len)
{
    if (addr_len > 0 && addr[addr_len - 1] == '.' && memchr(addr, '@', addr_len) != NULL)
        return addr_len - 1;
    return addr_len;
}

static int order_by_length(size_t a_len, size_t b_len)
{
    return (a_len > b_len) - (a_len < b_len);
}

static int order_members(const void *a, const void *b)
{
    const struct member *left = a;
    const struct member *right = b;
    size_t common_len = left->addr_len < right->addr_len ? left->addr_len : right->addr_len;
    int order = memcmp(left->addr, right->addr, common_len);

    return order != 0 ? order : order_by_length(left->addr_len, right->addr_len);
}

/* Same order; the key is folded here, because a copy could fail for want of memory. */
static int order_key_and_member(const void *key, const void *member)
{
    const struct member *left = key;
    const struct member *right = member;

    for (size_t i = 0; i < left->addr_len && i < right->addr_len; i++) {
        unsigned char a = (unsigned char)fold(left->addr[i]);
        unsigned char b = (unsigned char)right->addr[i];

        if (a != b)
            return a < b ? -1 : 1;
    }
    return order_by_length(left->addr_len, right->addr_len);
}

struct address_set *address_set_new(void)
{
    return calloc(1, sizeof(struct address_set));
}

void address_set_free(struct address_set **set)
{
    if (*set == NULL)
        return;
    while ((*set)->blocks != NULL) {
        struct block *block = (*set)->blocks;

        (*set)->blocks = block->next;
        free(block);
    }
    free((*set)->members);
    free(*set);
    *set = NULL;
}

static bool address_set_grow(struct address_set *set)
{
    size_t capacity = set->capacity == 0 ? FIRST_CAPACITY : set->capacity * 2;
    struct member *members = reallocarray(set->members, capacity, sizeof(*members));

    if (members == NULL)
        return false;
    set->members = members;
    set->capacity = capacity;
    return true;
}

/* The newest block has room: the addresses of a field are never longer than the field. */
static bool address_set_add(void *arg, const char *addr, size_t addr_len)
{
    struct address_set *set = arg;
    struct block *block = set->blocks;
    char *folded = block->bytes + block->used;
    size_t folded_len = length_to_compare(addr, addr_len);

    if (set->count == set->capacity && !address_set_grow(set))
        return false;
    for (size_t i = 0; i < folded_len; i++)
        folded[i] = fold(addr[i]);
    block->used += folded_len;
    set->members[set->count].addr = folded;
    set->members[set->count].addr_len = folded_len;
    set->count++;
    set->sorted = false;
    return true;
}

bool address_set_add_field(struct address_set *set, const char *value, size_t value_len)
{
    struct block *block;

    if (value_len > SIZE_MAX - sizeof(*block))
        return false;
    block = malloc(sizeof(*block) + value_len);
    if (block == NULL)
        return false;
    block->used = 0;
    block->next = set->blocks;
    set->blocks = block;
    return address_read(value, value_len, address_set_add, set);
}

bool address_set_has(struct address_set *set, const char *addr)
{
    struct member key = {.addr = addr, .addr_len = length_to_compare(addr, strlen(addr))};

    if (set->count == 0)
        return false;
    if (!set->sorted) {
        qsort(set->members, set->count, sizeof(*set->members), order_members);
        set->sorted = true;
    }
    return bsearch(&key, set->members, set->count, sizeof(*set->members), order_key_and_member) !=
           NULL;
}

size_t address_set_count(const struct address_set *set)
{
    return set->count;
}
