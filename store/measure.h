/* measure - how large the files of the store are, for who watches it */
#ifndef PEG_STORE_MEASURE_H
#define PEG_STORE_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

struct store_size {
    uint64_t snapshot_bytes; /* 0 where there is none yet */
    int64_t snapshot_ms;     /* when it was written, since 1970; 0 likewise */
    uint64_t journal_segments;
    uint64_t journal_bytes;   /* of all segments */
    uint64_t available_bytes; /* on their file system, for others than root */
};

/* Without a lock: files that come or go meanwhile are counted, or are not. false with errno. */
bool store_measure(const char *folder, struct store_size *size_r) PEG_MUST_USE;

#endif
