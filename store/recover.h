/*
 * recover - have the claims back from the snapshot and the journal
 *
 * For the one process that holds the decision table's lock of the writer (table/table.h): nobody
 * writes to the journal meanwhile.
 */
#ifndef PEG_RECOVER_H
#define PEG_RECOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "store/folder.h"

struct recover_result {
    size_t claims; /* given to add(), a key that was claimed again counting again */
    size_t messages;
    bool is_damaged; /* something was not whole that may have held decisions, now or earlier, and
                        mail may still need them (FOLDER_INCOMPLETE) */
};

/*
 * Give every claim that is on disk to add(), the newer before the older: the disk may have more
 * than a table has room for, since it keeps what the table has freed until the next compaction. Of
 * a key the first that is given counts. A tail of the last segment that was cut short was never
 * relied on, and is left out; all else that is not whole is reported in the log with the name of
 * its file. Then what is good is written to a new snapshot, and the damaged files are set aside;
 * where there is no room for that, they stay as they are.
 *
 * false: a file cannot be read, for the reason in why_r. No folder and no files are no error.
 */
bool recover(const char *folder, int64_t wall_ms,
             void (*add)(void *arg, const char *key, size_t key_len, int priority), void *arg,
             struct recover_result *result_r, char why_r[FOLDER_WHY_SIZE]) PEG_MUST_USE;

#endif
