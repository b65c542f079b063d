/*
 * table_file - the decision table's file: made, checked, mapped, replaced
 *
 * File: struct table_header, padded to a page; struct slots_shared; the slots. A file is complete
 * before it gets its name, so that no process ever maps half a table.
 *
 * For table.c alone. Not for concurrent use on one map.
 */
#ifndef PEG_TABLE_FILE_H
#define PEG_TABLE_FILE_H

#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "table/slots.h"
#include "table/table.h"

enum { TABLE_BOOT_ID_SIZE = 40, TABLE_HASH_KEY_SIZE = crypto_shorthash_siphashx24_KEYBYTES };

struct table_header {
    char magic[8];
    uint32_t version;
    uint32_t slot_size;
    uint64_t capacity;
    unsigned char hash_key[TABLE_HASH_KEY_SIZE]; /* secret: strangers choose addresses */
    char boot_id[TABLE_BOOT_ID_SIZE];            /* times in the slots count from this boot */
};

/* A mapped table; all zero where there is none. */
struct table_map {
    const struct table_header *header;
    struct slots slots;
    void *start;
    size_t len;
    dev_t device;
    ino_t inode;
};

enum table_found {
    TABLE_FOUND,      /* and mapped */
    TABLE_ABSENT,     /* no such file */
    TABLE_UNREADABLE, /* it cannot be opened or mapped, and may be a good one */
    TABLE_DAMAGED,    /* no whole table */
    TABLE_OTHER_VERSION,
    TABLE_OTHER_BOOT
};

/* Map an existing file. Where it is not TABLE_FOUND the reason is in why_r. */
enum table_found table_file_map(const char *path, struct table_map *map_r,
                                char why_r[TABLE_WHY_SIZE]) PEG_MUST_USE;

/* Unmap, and make *map all zero. */
void table_file_unmap(struct table_map *map);

/* Whether the path names the file that is mapped. */
bool table_file_is_mapped(const char *path, const struct table_map *map) PEG_MUST_USE;

/* The hash of a routing key in a mapped table. Thread-safe. */
struct slots_hash table_file_hash(const struct table_map *map, const char *key, size_t key_len);

/* What a new table begins with: the claims of old, or what config->recover() gives. */
struct table_contents {
    const struct table_map *old; /* NULL: config counts */
    const struct table_config *config;
    enum table_found found; /* at the path */
    bool is_first;          /* of this boot: no other one can have answered */
    int64_t now_ms;
};

/*
 * Make a table, in the place of one that is there; a damaged one is set aside. false: what was
 * there is there still, and the reason is in why_r.
 */
bool table_file_make(const char *path, size_t capacity, const struct table_contents *contents,
                     char why_r[TABLE_WHY_SIZE]) PEG_MUST_USE;

enum table_lock {
    TABLE_LOCK_WRITER, /* of the one writer; it is not waited for */
    TABLE_LOCK_MAKER   /* of who makes a table; it is waited for, by a writer */
};

/* Open the lock file: a descriptor that holds locks until it is closed, or -1 with the reason in
 * why_r. */
int table_file_open_lock(const char *path, char why_r[TABLE_WHY_SIZE]) PEG_MUST_USE;

/* Whether a table that is made now is the first of this boot; the next one will not be. With the
 * maker's lock. */
bool table_file_is_first(int lock_fd);

/* Take a lock. false: another process has it (EAGAIN), or it cannot be had. With wait until it can.
 */
bool table_file_lock(int fd, enum table_lock lock, bool wait) PEG_MUST_USE;
void table_file_unlock(int fd, enum table_lock lock);

/* Whether another process holds a lock. */
bool table_file_is_locked(int fd, enum table_lock lock) PEG_MUST_USE;

#endif
