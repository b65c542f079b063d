/* find - what was decided for a message */
#include "store/find.h"

#include <string.h>
#include <unistd.h>

#include "store/sources.h"

static bool find_in_segment(const struct source_segment *segment, const char *queue_id,
                            struct record_reader *reader_r)
{
    for (size_t n = segment->count; n > 0; n--) {
        const struct source_record *record = &segment->records[n - 1];

        if (!record_read(reader_r, record->text, record->len))
            continue;
        if (strcmp(reader_r->queue_id, queue_id) == 0)
            return true;
        record_reader_free(reader_r);
    }
    return false;
}

static bool find_in_snapshot(const struct sources *sources, const char *queue_id,
                             struct record_reader *reader_r)
{
    const char *text;
    size_t len;

    return sources->has_snapshot &&
           snapshot_find_message(&sources->snapshot_file, queue_id, &text, &len) &&
           record_read(reader_r, text, len);
}

int find_message(const char *folder, const char *queue_id, struct record_reader *reader_r,
                 char why_r[FOLDER_WHY_SIZE])
{
    int lock = folder_lock(folder, FOLDER_SHARED, why_r);
    struct sources sources;
    int found = -1;

    if (lock < 0)
        return -1;
    if (sources_open(&sources, folder, why_r)) {
        found = 0;
        for (size_t n = sources.count; n > 0 && found == 0; n--)
            found = find_in_segment(&sources.segments[n - 1], queue_id, reader_r);
        if (found == 0)
            found = find_in_snapshot(&sources, queue_id, reader_r);
        sources_close(&sources);
    }
    close(lock);
    return found;
}

static void read_record(const char *text, size_t text_len,
                        void (*each)(void *arg, struct record_reader *reader), void *arg)
{
    struct record_reader reader;

    if (!record_read(&reader, text, text_len))
        return;
    each(arg, &reader);
    record_reader_free(&reader);
}

bool find_all(const char *folder, void (*each)(void *arg, struct record_reader *reader), void *arg,
              char why_r[FOLDER_WHY_SIZE])
{
    int lock = folder_lock(folder, FOLDER_SHARED, why_r);
    struct snapshot_entry entry;
    struct sources sources;
    bool opened;

    if (lock < 0)
        return false;
    opened = sources_open(&sources, folder, why_r);
    if (opened) {
        while (sources.has_snapshot && snapshot_next(&sources.snapshot, &entry))
            if (entry.kind == SNAPSHOT_MESSAGE)
                read_record(entry.value, entry.value_len, each, arg);
        for (size_t n = 0; n < sources.count; n++)
            for (size_t m = 0; m < sources.segments[n].count; m++)
                read_record(sources.segments[n].records[m].text, sources.segments[n].records[m].len,
                            each, arg);
        sources_close(&sources);
    }
    close(lock);
    return opened;
}
