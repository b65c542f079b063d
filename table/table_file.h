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

/* Map an existing file. 1 done; 0 there is none; -1 it cannot be used, for the reason in why_r. */
int table_file_map(const char *path, struct table_map *map_r,
                   char why_r[TABLE_WHY_SIZE]) PEG_MUST_USE;

/* Unmap, and make *map all zero. */
void table_file_unmap(struct table_map *map);

/* Whether the path names the file that is mapped. */
bool table_file_is_mapped(const char *path, const struct table_map *map) PEG_MUST_USE;

/* Whether the times in a table are of this boot. */
bool table_file_is_of_this_boot(const struct table_map *map) PEG_MUST_USE;

/*
 * Make a table with the claims of old (NULL: none). replace: it takes the place of a file that is
 * there; else it yields to one. false: the reason is in why_r.
 */
bool table_file_make(const char *path, size_t capacity, const struct table_map *old, bool replace,
                     int64_t now_ms, char why_r[TABLE_WHY_SIZE]) PEG_MUST_USE;

/*
 * Become the one writer of a table, whichever file has the name: a descriptor that holds the lock
 * until it is closed, or -1 with the reason in why_r.
 */
int table_file_lock(const char *path, char why_r[TABLE_WHY_SIZE]) PEG_MUST_USE;

/* Whether a writer holds that lock. */
bool table_file_is_locked(const char *path) PEG_MUST_USE;

#endif
