/*
 * journal - decisions made durable before they count, many sessions with one fdatasync
 *
 * Whoever finds nobody leading leads: takes the batch that has been filled so far, writes and syncs
 * it without the mutex, and tells those that wait how it went. Meanwhile the others fill the next
 * batch, and when the leader is done one of them leads it. Each waits by itself, so that nobody
 * wakes up for nothing.
 *
 * JOURNAL_NO_SYNC: whoever asked for it is told once the batch is written, before the sync that
 * others in it need. Only a batch that is filled while the one before is being synced waits for
 * that sync; a writer beside the syncing leader would have to know what becomes of its bytes when
 * that sync fails, for a mixture that no setting makes.
 */
#include "store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/log_limit.h"
#include "store/frame.h"

enum { BATCH_KEEP = 1024 * 1024 /* bytes: larger ones are freed after use */ };

/* One journal_append() under way, on the stack of its thread. */
struct waiter {
    struct waiter *next;
    pthread_cond_t woken; /* it is done, or may lead */
    enum journal_sync sync;
    bool is_done, is_good;
};

struct batch {
    unsigned char *bytes; /* frames */
    size_t len, room;
    struct waiter *waiters;
    size_t count[2]; /* of waiters, by enum journal_sync */
};

/* The segment that is written to. */
struct segment {
    int fd; /* -1: there is none */
    uint64_t number;
    size_t len;
    size_t good;        /* of it, what somebody was told is there */
    bool has_safe_name; /* the folder was synced since it was made */
    char path[PATH_MAX];
};

struct journal {
    char *folder;
    size_t segment_max;
    int (*sync)(int fd);
    int64_t (*clock_ms)(void);

    pthread_mutex_t mutex;
    /* Under the mutex: */
    struct batch filling;
    bool is_led;
    bool has_closed;
    bool has_complained; /* and not yet said that it works again */
    struct log_limit complaints;
    struct journal_stats stats;

    /* The leader's, without the mutex: */
    struct batch batch;
    struct segment segment;
    uint64_t last; /* number of the last segment before that one */
};

/* Log what errno says, but not each time. Returns false. */
static bool complain(struct journal *journal, const char *what, const char *path)
{
    int error = errno;
    uint64_t held_back = 0;
    bool passes;

    pthread_mutex_lock(&journal->mutex);
    passes = log_limit_pass(&journal->complaints, journal->clock_ms(), &held_back);
    if (passes)
        journal->has_complained = true;
    pthread_mutex_unlock(&journal->mutex);
    errno = error;
    if (passes && held_back > 0)
        log_error("journal: %s %s: %m: decisions are not kept (%" PRIu64 " more failures before)",
                  what, path, held_back);
    else if (passes)
        log_error("journal: %s %s: %m: decisions are not kept", what, path);
    return false;
}

/* Segments */

static bool begin_segment(struct journal *journal)
{
    struct segment *segment = &journal->segment;

    for (;; journal->last++) {
        uint64_t number = journal->last + 1;
        int fd;

        *segment = (struct segment){.fd = -1};
        if (!folder_segment_path(journal->folder, number, segment->path))
            return complain(journal, "make a segment in", journal->folder);
        fd = open(segment->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
        if (fd >= 0) {
            segment->fd = fd;
            segment->number = number;
            return true;
        }
        if (errno != EEXIST) /* else somebody has put a file there: the next one */
            return complain(journal, "make", segment->path);
    }
}

static void close_segment(struct journal *journal)
{
    close(journal->segment.fd);
    journal->segment.fd = -1;
    journal->last = journal->segment.number;
    pthread_mutex_lock(&journal->mutex);
    journal->has_closed = true;
    pthread_mutex_unlock(&journal->mutex);
}

/*
 * Something failed: write no more to this segment. What nobody relies on is taken away, as far as
 * that can be done. One that has nothing else goes, so that a full disk gets no more and more empty
 * files; the next one has its number. Returns false.
 */
static bool give_up(struct journal *journal, const char *what, const char *path)
{
    struct segment *segment = &journal->segment;

    complain(journal, what, path);
    if (segment->good == 0 && unlink(segment->path) == 0) {
        close(segment->fd);
        segment->fd = -1;
    } else {
        bool is_cut = ftruncate(segment->fd, (off_t)segment->good) == 0;

        (void)is_cut; /* whoever reads what is left there will say so */
        close_segment(journal);
    }
    return false;
}

/* Whether the segment is still in the folder: what is written to one that is not is lost. */
static bool is_there(const struct segment *segment)
{
    struct stat status;

    return fstat(segment->fd, &status) == 0 && status.st_nlink > 0;
}

static bool write_batch(struct journal *journal)
{
    struct segment *segment = &journal->segment;
    const struct batch *batch = &journal->batch;

    if (segment->fd >= 0 && !is_there(segment)) {
        log_warn("%s was removed: the journal goes on in another segment", segment->path);
        close_segment(journal);
    }
    if (segment->fd < 0 && !begin_segment(journal))
        return false;
    if (!file_write(segment->fd, batch->bytes, batch->len))
        return give_up(journal, "write", segment->path);
    segment->len += batch->len;
    if (batch->count[JOURNAL_NO_SYNC] > 0)
        segment->good = segment->len;
    return true;
}

static bool sync_batch(struct journal *journal)
{
    struct segment *segment = &journal->segment;

    if (!segment->has_safe_name && !folder_sync(journal->folder))
        return give_up(journal, "sync", journal->folder);
    segment->has_safe_name = true;
    if (journal->sync(segment->fd) != 0)
        return give_up(journal, "sync", segment->path);
    segment->good = segment->len;
    return true;
}

/* Batches */

static bool fill(struct batch *batch, const char *text, size_t len)
{
    size_t needed = batch->len + FRAME_HEADER_SIZE + len;
    unsigned char *frame;

    if (len > FRAME_PAYLOAD_MAX) {
        errno = EMSGSIZE;
        return false;
    }
    if (needed > batch->room) {
        size_t room = needed > 2 * batch->room ? needed : 2 * batch->room;
        unsigned char *bytes = realloc(batch->bytes, room);

        if (bytes == NULL)
            return false;
        batch->bytes = bytes;
        batch->room = room;
    }
    frame = batch->bytes + batch->len;
    memcpy(frame + FRAME_HEADER_SIZE, text, len);
    frame_seal(frame, len);
    batch->len = needed;
    return true;
}

static void join(struct batch *batch, struct waiter *waiter)
{
    waiter->next = batch->waiters;
    batch->waiters = waiter;
    batch->count[waiter->sync]++;
}

/* Tell those of the batch that asked for this. Once the mutex is free they may be gone. */
static void release(struct journal *journal, enum journal_sync sync, bool good)
{
    struct batch *batch = &journal->batch;
    struct waiter **at = &batch->waiters;
    size_t count = batch->count[sync];

    while (*at != NULL) {
        struct waiter *waiter = *at;

        if (waiter->sync != sync) {
            at = &waiter->next;
            continue;
        }
        *at = waiter->next;
        waiter->is_good = good;
        waiter->is_done = true;
        pthread_cond_signal(&waiter->woken);
    }
    batch->count[sync] = 0;
    *(good ? &journal->stats.records : &journal->stats.failures) += count;
    journal->stats.waiting -= count;
}

static void empty(struct batch *batch)
{
    batch->len = 0;
    if (batch->room > BATCH_KEEP) {
        free(batch->bytes);
        *batch = (struct batch){0};
    }
}

static void say_that_it_works(struct journal *journal)
{
    bool had_complained;

    pthread_mutex_lock(&journal->mutex);
    had_complained = journal->has_complained;
    journal->has_complained = false;
    pthread_mutex_unlock(&journal->mutex);
    if (had_complained)
        log_info("journal: decisions are kept again, in %s", journal->segment.path);
}

/* Write the batch as it is now, which this thread's own record is in. With the mutex. */
static void lead(struct journal *journal)
{
    struct batch *batch = &journal->batch;
    struct batch emptied = *batch;
    bool good, needs_sync;

    journal->is_led = true;
    *batch = journal->filling;
    journal->filling = emptied;
    pthread_mutex_unlock(&journal->mutex);

    needs_sync = batch->count[JOURNAL_SYNC] > 0;
    good = write_batch(journal);
    if (batch->count[JOURNAL_NO_SYNC] > 0) {
        pthread_mutex_lock(&journal->mutex);
        release(journal, JOURNAL_NO_SYNC, good);
        pthread_mutex_unlock(&journal->mutex);
    }
    if (good && needs_sync)
        good = sync_batch(journal);
    if (good) {
        say_that_it_works(journal);
        if (journal->segment.len > journal->segment_max)
            close_segment(journal);
    }

    pthread_mutex_lock(&journal->mutex);
    journal->is_led = false;
    if (journal->filling.waiters != NULL) /* first of all: the disk has nothing to do */
        pthread_cond_signal(&journal->filling.waiters->woken);
    journal->stats.syncs += good && needs_sync;
    release(journal, JOURNAL_SYNC, good);
    empty(batch);
}

bool journal_append(struct journal *journal, const char *text, size_t len, enum journal_sync sync)
{
    struct waiter self = {.woken = PTHREAD_COND_INITIALIZER, .sync = sync};

    pthread_mutex_lock(&journal->mutex);
    if (!fill(&journal->filling, text, len)) {
        journal->stats.failures++;
        pthread_mutex_unlock(&journal->mutex);
        return complain(journal, "take a record for", journal->folder);
    }
    join(&journal->filling, &self);
    journal->stats.waiting++;
    while (!self.is_done && journal->is_led)
        pthread_cond_wait(&self.woken, &journal->mutex);
    if (!self.is_done)
        lead(journal);
    pthread_mutex_unlock(&journal->mutex);
    pthread_cond_destroy(&self.woken);
    return self.is_good;
}

struct journal *journal_open(const struct journal_config *config, char why_r[FOLDER_WHY_SIZE])
{
    struct journal *journal = calloc(1, sizeof *journal);
    uint64_t *numbers = NULL;
    size_t count = 0;

    snprintf(why_r, FOLDER_WHY_SIZE, "out of memory");
    if (journal == NULL)
        return NULL;
    pthread_mutex_init(&journal->mutex, NULL);
    journal->segment.fd = -1;
    journal->segment_max = config->segment_max > 0 ? config->segment_max : JOURNAL_SEGMENT_MAX;
    journal->sync = config->sync != NULL ? config->sync : fdatasync;
    journal->clock_ms = config->clock_ms != NULL ? config->clock_ms : clock_boot_ms;
    journal->folder = strdup(config->folder);
    if (journal->folder == NULL) {
        journal_close(&journal);
    } else if (!folder_segments(journal->folder, &numbers, &count)) {
        snprintf(why_r, FOLDER_WHY_SIZE, "read %s: %m", journal->folder);
        journal_close(&journal);
    } else {
        journal->has_closed = count > 0;
        journal->last = count > 0 ? numbers[count - 1] : 0;
    }
    free(numbers);
    return journal;
}

void journal_close(struct journal **journal_ptr)
{
    struct journal *journal = *journal_ptr;

    *journal_ptr = NULL;
    if (journal == NULL)
        return;
    if (journal->segment.fd >= 0)
        close(journal->segment.fd);
    pthread_mutex_destroy(&journal->mutex);
    free(journal->filling.bytes);
    free(journal->batch.bytes);
    free(journal->folder);
    free(journal);
}

bool journal_has_closed_segments(struct journal *journal)
{
    bool has_closed;

    pthread_mutex_lock(&journal->mutex);
    has_closed = journal->has_closed;
    journal->has_closed = false;
    pthread_mutex_unlock(&journal->mutex);
    return has_closed;
}

struct journal_stats journal_stats(struct journal *journal)
{
    struct journal_stats stats;

    pthread_mutex_lock(&journal->mutex);
    stats = journal->stats;
    pthread_mutex_unlock(&journal->mutex);
    return stats;
}
