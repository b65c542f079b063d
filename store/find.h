/*
 * find - what was decided for a message
 */
#ifndef PEG_FIND_H
#define PEG_FIND_H

#include <stdbool.h>

#include "lib/attr.h"
#include "store/folder.h"
#include "store/record.h"

/*
 * The latest record with this queue ID, in journal or snapshot: 1, to be freed with
 * record_reader_free(); 0 there is none; -1 the store cannot be read, for the reason in why_r.
 * Waits for who replaces files (FOLDER_SHARED).
 */
int find_message(const char *folder, const char *queue_id, struct record_reader *reader_r,
                 char why_r[FOLDER_WHY_SIZE]) PEG_MUST_USE;

/*
 * Call each() for every record in snapshot and journal, in no order that means anything, the older
 * ones of a queue ID as well; the reader is borrowed. false: as -1 above. Waits likewise.
 */
bool find_all(const char *folder, void (*each)(void *arg, struct record_reader *reader), void *arg,
              char why_r[FOLDER_WHY_SIZE]) PEG_MUST_USE;

#endif
