/* sources - the files of the store, opened for reading */
#include "store/sources.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/log.h"
#include "store/frame.h"

static bool fail(char why_r[FOLDER_WHY_SIZE], const char *path)
{
    snprintf(why_r, FOLDER_WHY_SIZE, "read %.400s: %m", path);
    return false;
}

static bool open_snapshot(struct sources *sources, char why_r[FOLDER_WHY_SIZE])
{
    char path[PATH_MAX];
    int mapped;

    if (!folder_path(sources->folder, FOLDER_SNAPSHOT, path))
        return fail(why_r, sources->folder);
    mapped = folder_map(path, &sources->snapshot_file);
    if (mapped < 0)
        return fail(why_r, path);
    sources->has_snapshot = mapped == 1;
    /* A file that is no snapshot is damaged, and has no entries. */
    if (sources->has_snapshot && !snapshot_read(&sources->snapshot, &sources->snapshot_file))
        sources->snapshot.is_whole = false;
    return true;
}

static bool add_record(struct source_segment *segment, size_t *room, const unsigned char *payload,
                       size_t payload_len)
{
    if (segment->count == *room) {
        size_t larger_room = *room > 0 ? 2 * *room : 64;
        struct source_record *larger =
            realloc(segment->records, larger_room * sizeof *segment->records);

        if (larger == NULL)
            return false;
        segment->records = larger;
        *room = larger_room;
    }
    segment->records[segment->count++] =
        (struct source_record){.text = (const char *)payload, .len = payload_len};
    return true;
}

/* Find the whole records of a mapped segment. */
static bool list_records(struct source_segment *segment)
{
    struct frame_reader reader = {.bytes = segment->file.bytes, .len = segment->file.len};
    const unsigned char *payload;
    size_t payload_len, whole = 0, room = 0;

    while (frame_next(&reader, &payload, &payload_len)) {
        if (!add_record(segment, &room, payload, payload_len))
            return false;
        whole += FRAME_HEADER_SIZE + payload_len;
    }
    segment->damaged = reader.damaged;
    segment->torn = segment->file.len - whole - reader.damaged;
    return true;
}

static bool open_segment(struct sources *sources, uint64_t number, bool is_last,
                         char why_r[FOLDER_WHY_SIZE])
{
    struct source_segment *segment = &sources->segments[sources->count];
    char path[PATH_MAX];
    int mapped;

    *segment = (struct source_segment){.number = number};
    if (!folder_segment_path(sources->folder, number, path))
        return fail(why_r, sources->folder);
    /* A journal whose write fails makes its segment shorter. */
    mapped = is_last ? folder_copy(path, &segment->file) : folder_map(path, &segment->file);
    if (mapped < 0)
        return fail(why_r, path);
    sources->count++;
    return list_records(segment) || fail(why_r, path);
}

static bool open_segments(struct sources *sources, char why_r[FOLDER_WHY_SIZE])
{
    uint64_t *numbers;
    size_t count;
    bool opened;

    if (!folder_segments(sources->folder, &numbers, &count))
        return fail(why_r, sources->folder);
    sources->segments = calloc(count + 1, sizeof *sources->segments);
    opened = sources->segments != NULL || fail(why_r, sources->folder);
    for (size_t n = 0; n < count && opened; n++)
        opened = open_segment(sources, numbers[n], n == count - 1, why_r);
    free(numbers);
    return opened;
}

bool sources_open(struct sources *sources_r, const char *folder, char why_r[FOLDER_WHY_SIZE])
{
    *sources_r = (struct sources){.folder = folder};
    if (open_snapshot(sources_r, why_r) && open_segments(sources_r, why_r))
        return true;
    sources_close(sources_r);
    return false;
}

void sources_close(struct sources *sources)
{
    for (size_t n = 0; n < sources->count; n++) {
        folder_unmap(&sources->segments[n].file);
        free(sources->segments[n].records);
    }
    free(sources->segments);
    if (sources->has_snapshot)
        folder_unmap(&sources->snapshot_file);
    *sources = (struct sources){0};
}

/* Claims of a record */

static struct record_recipient *next_place(struct source_claims *claims)
{
    if (claims->count == claims->room) {
        size_t room = claims->room > 0 ? 2 * claims->room : 16;
        struct record_recipient *larger = realloc(claims->claims, room * sizeof *larger);

        if (larger == NULL)
            return NULL;
        claims->claims = larger;
        claims->room = room;
    }
    return &claims->claims[claims->count];
}

int source_claims_read(struct source_claims *claims, struct source_segment *segment,
                       const struct source_record *record)
{
    struct record_recipient *place;
    int got;

    record_reader_free(&claims->reader);
    claims->count = 0;
    if (!record_read(&claims->reader, record->text, record->len)) {
        segment->unreadable++;
        return 0;
    }
    do {
        place = next_place(claims);
        if (place == NULL)
            return -1;
        got = record_next(&claims->reader, place);
        if (got == 1 && place->use != RECORD_UNCLAIMED)
            claims->count++;
    } while (got == 1);
    claims->is_whole = got == 0;
    if (!claims->is_whole)
        segment->unreadable++;
    return 1;
}

void source_claims_free(struct source_claims *claims)
{
    record_reader_free(&claims->reader);
    free(claims->claims);
    *claims = (struct source_claims){0};
}

/* Damage */

bool source_segment_is_damaged(const struct source_segment *segment)
{
    return segment->damaged > 0 || segment->unreadable > 0;
}

bool sources_snapshot_is_damaged(const struct sources *sources)
{
    return sources->has_snapshot && (!sources->snapshot.is_whole || sources->snapshot.damaged > 0);
}

bool sources_are_damaged(const struct sources *sources)
{
    for (size_t n = 0; n < sources->count; n++)
        if (source_segment_is_damaged(&sources->segments[n]))
            return true;
    return sources_snapshot_is_damaged(sources);
}

void sources_log_damage(const struct sources *sources)
{
    char path[PATH_MAX];

    if (sources_snapshot_is_damaged(sources))
        log_warn("%s/" FOLDER_SNAPSHOT " is damaged: %zu parts of it with decisions cannot be read",
                 sources->folder, sources->snapshot.damaged);
    for (size_t n = 0; n < sources->count; n++) {
        const struct source_segment *segment = &sources->segments[n];

        if (source_segment_is_damaged(segment) &&
            folder_segment_path(sources->folder, segment->number, path))
            log_warn("%s is damaged: %zu bytes and %zu records of it cannot be read", path,
                     segment->damaged, segment->unreadable);
    }
}
