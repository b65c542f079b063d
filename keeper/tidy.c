/* tidy - forget what Postfix's queue no longer needs */
#include "keeper/tidy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "store/folder.h"
#include "store/record.h"
#include "store/snapshot.h"
#include "table/table.h"

#define LOCK_FILE "tidy.lock"

/* A message is not in the queue yet when it is decided: other milters and the disk come first; and
 * it may be decided while the looks last. */
enum { ON_ITS_WAY_MS = 10 * 60 * 1000, LOOKS_MAX_MS = 60 * 60 * 1000 };

struct tidying {
    const struct tidy_config *config;
    struct tidy_result *result;
    struct table *table;
    struct look look;
    bool knows_queue; /* every message in it was seen */
    bool keeps_claims;
};

/* A descriptor that holds the lock until it is closed; -1: another process has it, or there is an
 * error, which the log has. */
static int take_lock(const char *folder, bool *is_busy_r)
{
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char path[PATH_MAX];
    int fd = -1;

    *is_busy_r = false;
    if (folder_path(folder, LOCK_FILE, path))
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && fcntl(fd, F_OFD_SETLK, &range) == 0)
        return fd;
    *is_busy_r = fd >= 0 && (errno == EAGAIN || errno == EACCES);
    if (*is_busy_r)
        log_info("nothing to do: another process is tidying up");
    else
        log_error("lock %s/" LOCK_FILE ": %m", folder);
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Look into the queues. A table that may lack claims wants one more look until it knows better. */
static bool look_once(struct tidying *tidying)
{
    const struct look_config config = {.table = tidying->table,
                                       .folder = tidying->config->folder,
                                       .frontends = tidying->config->frontends,
                                       .frontend_count = tidying->config->frontend_count};
    enum look_result seen = look(&tidying->look, &config);

    tidying->knows_queue = seen != LOOK_FAILED;
    if (tidying->knows_queue) {
        tidying->result->has_looked = true;
        tidying->result->queue = tidying->look.counts;
    }
    if (table_is_unsure(tidying->table))
        table_want(tidying->table, TABLE_WANT_SCAN);
    return seen == LOOK_DONE;
}

/* wants_claim() of struct compact_config: the table has all that anybody needs, and some more. */
static bool wants_claim(void *arg, const char *key, size_t key_len, int priority)
{
    const struct tidying *tidying = arg;
    int now;

    return tidying->keeps_claims ||
           (table_peek(tidying->table, key, key_len, &now) == 1 && now == priority);
}

/* wants_message() of struct compact_config. The wall clock may have been set: then one that is on
 * its way is forgotten, or one that has left is kept until the next time. What is from a time to
 * come is not on its way: it would be kept until then. */
static bool wants_message(void *arg, const char *name, int64_t wall_ms)
{
    struct tidying *tidying = arg;
    int64_t age_ms = tidying->config->wall_ms - wall_ms;

    return !tidying->knows_queue || (age_ms < ON_ITS_WAY_MS && age_ms > -LOOKS_MAX_MS) ||
           id_set_has(&tidying->look.seen, name);
}

/*
 * The number of the segment to which a journal may be writing now. What is decided after this has
 * been asked for stands in it, or in later ones. false with errno.
 */
static bool last_segment(const char *folder, uint64_t *number_r)
{
    uint64_t *numbers;
    size_t count;

    if (!folder_segments(folder, &numbers, &count))
        return false;
    *number_r = count > 0 ? numbers[count - 1] : 1;
    free(numbers);
    return true;
}

/* What was lost */

/* Note the keys in the record of a queued message that are claimed, and count the message. false:
 * out of memory, or this is no record. */
static bool add_needed(struct tidying *tidying, const struct snapshot_entry *entry,
                       struct id_set *keys, size_t *recorded)
{
    struct record_recipient recipient;
    struct record_reader message;
    int more = 0, ignored;

    if (!record_read(&message, entry->value, entry->value_len))
        return false;
    if (id_set_has(&tidying->look.seen, message.queue_id)) {
        ++*recorded;
        while ((more = record_next(&message, &recipient)) == 1)
            if (recipient.use != RECORD_UNCLAIMED &&
                table_peek(tidying->table, recipient.key, strlen(recipient.key), &ignored) == 1 &&
                !id_set_add(keys, recipient.key))
                break;
    }
    record_reader_free(&message);
    return more == 0;
}

/* Whether each of these keys has its claim in the snapshot, where a key stands once. */
static bool has_claims(struct snapshot_reader reader, struct id_set *keys)
{
    struct snapshot_entry entry;
    size_t found = 0;

    while (snapshot_next(&reader, &entry)) {
        char *key = entry.kind == SNAPSHOT_CLAIM ? strndup(entry.key, entry.key_len) : NULL;

        found += key != NULL && id_set_has(keys, key);
        free(key);
    }
    return found == id_set_count(keys);
}

/* Whether the new snapshot has a record of each message in the queue, and the claims of all their
 * recipients that are in the table: a message and its claims are lost one by one. */
static bool has_all_queued(struct tidying *tidying)
{
    struct snapshot_reader first, reader;
    struct snapshot_entry entry;
    struct folder_file file;
    struct id_set keys = {0};
    char path[PATH_MAX];
    size_t recorded = 0;
    bool has_all;

    if (!folder_path(tidying->config->folder, FOLDER_SNAPSHOT, path) ||
        folder_map(path, &file) != 1)
        return false;
    has_all = snapshot_read(&first, &file);
    for (reader = first; has_all && snapshot_next(&reader, &entry);)
        has_all = entry.kind != SNAPSHOT_MESSAGE || add_needed(tidying, &entry, &keys, &recorded);
    has_all = has_all && recorded == id_set_count(&tidying->look.seen) && has_claims(first, &keys);
    id_set_free(&keys);
    folder_unmap(&file);
    return has_all;
}

/* What was lost from the disk is not missed any more when all is there again that mail in the queue
 * needs. Until then the table wants another look. With the folder's lock. */
static bool forget_loss(struct tidying *tidying)
{
    const char *folder = tidying->config->folder;

    if (!folder_is_incomplete(folder))
        return true;
    if (tidying->keeps_claims || tidying->result->store.is_damaged || !has_all_queued(tidying)) {
        table_want(tidying->table, TABLE_WANT_SCAN);
        return true;
    }
    if (!folder_set_incomplete(folder, false)) {
        log_error("remove %s/" FOLDER_INCOMPLETE ": %m", folder);
        return false;
    }
    log_info("no mail needs the decisions any more that were lost from %s", folder);
    return true;
}

/* All of it */

/* Write the store anew, keeping the segments from this number on. */
static bool compact_below(struct tidying *tidying, uint64_t segment)
{
    const struct compact_config config = {.folder = tidying->config->folder,
                                          .segments = COMPACT_CLOSED,
                                          .segments_below = segment,
                                          .wants_claim = wants_claim,
                                          .wants_message = wants_message,
                                          .arg = tidying,
                                          .wall_ms = tidying->config->wall_ms};
    struct tidy_result *result = tidying->result;
    char why[FOLDER_WHY_SIZE];
    int lock = folder_lock(config.folder, FOLDER_EXCLUSIVE, why);
    bool done = false;

    if (lock >= 0 && !table_is_current(tidying->table))
        snprintf(why, sizeof why, "the decision table was replaced meanwhile");
    else if (lock >= 0)
        result->has_compacted = compact(&config, &result->store, why);
    if (result->has_compacted)
        done = forget_loss(tidying);
    else
        log_error("the decisions on disk stay as they are: %s", why);
    if (lock >= 0)
        close(lock);
    return done;
}

/* Whether there is a reason to write the store anew. That decisions were lost from it is one as
 * soon as the queue holds no mail without a decision: forget_loss() can do nothing before. */
static bool is_worthwhile(const struct tidying *tidying)
{
    const char *folder = tidying->config->folder;

    return tidying->config->force || compact_is_worthwhile(folder) ||
           (folder_is_incomplete(folder) && tidying->knows_queue &&
            !table_is_unsure(tidying->table));
}

/*
 * Everything in the queue needs its claim; what is not in there may have been decided a moment ago.
 * So first the segments are counted, then comes the look, and only what was written to segments
 * that were closed before it may be forgotten.
 */
static bool do_all(struct tidying *tidying)
{
    const char *folder = tidying->config->folder;
    uint64_t segment;
    bool is_counted = last_segment(folder, &segment);
    bool done = look_once(tidying);

    if (!is_counted) {
        log_error("read %s: %m", folder);
        return false;
    }
    if (!is_worthwhile(tidying))
        return done;
    /* Once more: a message on its way from queue to queue may escape one look, hardly two. */
    if (tidying->knows_queue && !look_once(tidying))
        done = false;
    tidying->keeps_claims = !tidying->knows_queue || table_is_unsure(tidying->table);
    return compact_below(tidying, segment) && done;
}

static void log_result(const struct tidy_result *result)
{
    char queue[128] = "not known", store[128] = "as it was";

    if (result->has_looked)
        snprintf(queue, sizeof queue, "%zu messages, %zu recipients, %zu without a decision",
                 result->queue.messages, result->queue.recipients, result->queue.unknown);
    if (result->has_compacted)
        snprintf(store, sizeof store, "%zu decisions, %zu messages, %zu segments gone",
                 result->store.claims, result->store.messages, result->store.segments);
    log_info("queue: %s; store: %s", queue, store);
}

static bool tidy_table(struct tidying *tidying)
{
    unsigned wanted = table_wanted(tidying->table);
    bool done;

    table_want_no_more(tidying->table, wanted);
    done = do_all(tidying);
    if (!done)
        table_want(tidying->table, wanted);
    log_result(tidying->result);
    return done;
}

/* There is no table to be used: whether that is no fault. Says so in the log. */
static bool is_too_early(const char *path, const char *why)
{
    if (access(path, R_OK | W_OK) == 0 || errno == ENOENT) {
        log_info("nothing to do yet: %s", why);
        return true;
    }
    log_error("decision table: %s", why);
    return false;
}

bool tidy(const struct tidy_config *config, struct tidy_result *result_r)
{
    const struct table_config table_config = {.path = config->table};
    struct tidying tidying = {.config = config, .result = result_r};
    char why[TABLE_WHY_SIZE];
    bool is_busy, done;
    int lock;

    *result_r = (struct tidy_result){0};
    tidying.table = table_open(&table_config, TABLE_GUEST, clock_boot_ms(), why);
    if (tidying.table == NULL)
        return is_too_early(config->table, why);
    lock = take_lock(config->folder, &is_busy);
    done = lock >= 0 ? tidy_table(&tidying) : is_busy;
    if (lock >= 0)
        close(lock);
    look_free(&tidying.look);
    table_close(&tidying.table);
    return done;
}
