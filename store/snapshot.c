/* snapshot - the claims as a cdb file: written under another name, read with suspicion */
#include "store/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cdb.h>

#include "store/sum.h"

#define TEMPORARY FOLDER_SNAPSHOT ".new"

static const char head_key[] = ":peg", head_version[] = "1 ";

enum {
    CONTENTS_SIZE = 2048, /* cdb's table of contents; the first number in it: where entries end */
    LENGTHS_SIZE = 8,     /* of key and value, before each */
    HEAD_KEY_LEN = sizeof head_key - 1,
    HEAD_VALUE_LEN = sizeof head_version - 1 + SUM_TEXT_LEN,
    HEAD_LEN = LENGTHS_SIZE + HEAD_KEY_LEN + HEAD_VALUE_LEN,
    FIRST_AT = CONTENTS_SIZE + HEAD_LEN,
    DIGITS_AT = FIRST_AT - SUM_TEXT_LEN, /* of the file's sum */
    TAIL_LEN = SUM_TEXT_LEN + 1 /* behind an entry's value: blank or newline, and the sum */
};

struct snapshot_writer {
    struct cdb_make cdb;
    bool is_making; /* cdb holds memory */
    int fd;
    int error; /* the first errno */
    char folder[PATH_MAX];
    char path[PATH_MAX];
    unsigned char *entry; /* the one that is being added */
    size_t entry_size;
};

/* Sums */

static void print_file_sum(const unsigned char *bytes, size_t len, char digits_r[SUM_TEXT_LEN + 1])
{
    char both[2 * SUM_TEXT_LEN + 1];

    sum_print(sum_of(bytes, DIGITS_AT), both);
    sum_print(sum_of(bytes + FIRST_AT, len - FIRST_AT), both + SUM_TEXT_LEN);
    sum_print(sum_of(both, sizeof both - 1), digits_r);
}

/* Writing */

static bool open_temporary(struct snapshot_writer *writer)
{
    if (!folder_path(writer->folder, TEMPORARY, writer->path))
        return false;
    /* Under the folder's lock nobody else can be writing to it. */
    if (unlink(writer->path) != 0 && errno != ENOENT)
        return false;
    writer->fd = open(writer->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (writer->fd < 0 || fchmod(writer->fd, 0640) != 0)
        return false;
    writer->is_making = cdb_make_start(&writer->cdb, writer->fd) == 0;
    return writer->is_making;
}

static void note_failure(struct snapshot_writer *writer, int error)
{
    if (writer->error == 0)
        writer->error = error;
}

static void add_head(struct snapshot_writer *writer)
{
    char value[HEAD_VALUE_LEN + 1];

    snprintf(value, sizeof value, "%s%0*d", head_version, SUM_TEXT_LEN, 0);
    if (cdb_make_add(&writer->cdb, head_key, HEAD_KEY_LEN, value, HEAD_VALUE_LEN) != 0)
        note_failure(writer, errno);
}

struct snapshot_writer *snapshot_create(const char *folder)
{
    struct snapshot_writer *writer = calloc(1, sizeof *writer);
    int error;

    if (writer == NULL)
        return NULL;
    writer->fd = -1;
    if (strlen(folder) < sizeof writer->folder) {
        strcpy(writer->folder, folder);
        if (open_temporary(writer)) {
            add_head(writer);
            return writer;
        }
    } else {
        errno = ENAMETOOLONG;
    }
    error = errno;
    snapshot_abandon(&writer);
    errno = error;
    return NULL;
}

/* Make room for an entry of so many bytes. */
static bool reserve(struct snapshot_writer *writer, size_t size)
{
    unsigned char *larger;

    if (size <= writer->entry_size)
        return true;
    larger = realloc(writer->entry, 2 * size);
    if (larger == NULL)
        return false;
    writer->entry = larger;
    writer->entry_size = 2 * size;
    return true;
}

/* Add what stands in writer->entry: key and value with lengths before them, and a tail. */
static void add_entry(struct snapshot_writer *writer, enum snapshot_kind kind, const char *key,
                      size_t key_len, const char *value, size_t value_len)
{
    const size_t max = UINT_MAX / 4, sealed_len = LENGTHS_SIZE + key_len + value_len;
    char digits[SUM_TEXT_LEN + 1];
    unsigned char *tail;

    if (writer->error != 0)
        return;
    if (key_len > max || value_len > max) {
        note_failure(writer, EFBIG);
        return;
    }
    if (!reserve(writer, sealed_len + TAIL_LEN)) {
        note_failure(writer, ENOMEM);
        return;
    }
    cdb_pack((unsigned)key_len, writer->entry);
    cdb_pack((unsigned)(value_len + TAIL_LEN), writer->entry + LENGTHS_SIZE / 2);
    memcpy(writer->entry + LENGTHS_SIZE, key, key_len);
    memcpy(writer->entry + LENGTHS_SIZE + key_len, value, value_len);
    sum_print(sum_of(writer->entry, sealed_len), digits);
    tail = writer->entry + sealed_len;
    if (kind == SNAPSHOT_CLAIM)
        *tail++ = ' ';
    memcpy(tail, digits, SUM_TEXT_LEN);
    if (kind == SNAPSHOT_MESSAGE)
        tail[SUM_TEXT_LEN] = '\n';
    if (cdb_make_add(&writer->cdb, writer->entry + LENGTHS_SIZE, (unsigned)key_len,
                     writer->entry + LENGTHS_SIZE + key_len, (unsigned)(value_len + TAIL_LEN)) != 0)
        note_failure(writer, errno);
}

void snapshot_add_claim(struct snapshot_writer *writer, const char *key, size_t key_len,
                        const char *value, size_t value_len)
{
    add_entry(writer, SNAPSHOT_CLAIM, key, key_len, value, value_len);
}

void snapshot_add_message(struct snapshot_writer *writer, const char *queue_id, const char *text,
                          size_t text_len)
{
    add_entry(writer, SNAPSHOT_MESSAGE, queue_id, strlen(queue_id), text, text_len);
}

/* Write the sum of the file into its head. */
static bool seal(struct snapshot_writer *writer)
{
    char digits[SUM_TEXT_LEN + 1];
    struct folder_file file;
    int mapped = folder_map(writer->path, &file);

    if (mapped != 1 || file.len < FIRST_AT) {
        if (mapped >= 0)
            errno = EIO; /* somebody meddles with it */
        if (mapped == 1)
            folder_unmap(&file);
        return false;
    }
    print_file_sum(file.bytes, file.len, digits);
    folder_unmap(&file);
    return pwrite(writer->fd, digits, SUM_TEXT_LEN, DIGITS_AT) == SUM_TEXT_LEN;
}

/* Let cdb write its index; this frees what it holds, whether it succeeds or not. */
static bool finish(struct snapshot_writer *writer)
{
    bool done = cdb_make_finish(&writer->cdb) == 0;

    writer->is_making = false;
    if (!done)
        note_failure(writer, errno);
    errno = writer->error;
    return writer->error == 0;
}

static bool put_in_place(const struct snapshot_writer *writer)
{
    char path[PATH_MAX];

    return folder_path(writer->folder, FOLDER_SNAPSHOT, path) && fsync(writer->fd) == 0 &&
           rename(writer->path, path) == 0 && folder_sync(writer->folder);
}

bool snapshot_commit(struct snapshot_writer **writer_ptr)
{
    struct snapshot_writer *writer = *writer_ptr;
    bool done = writer->error == 0 && finish(writer) && seal(writer) && put_in_place(writer);
    int error = writer->error != 0 ? writer->error : errno;

    snapshot_abandon(writer_ptr);
    errno = error;
    return done;
}

void snapshot_abandon(struct snapshot_writer **writer_ptr)
{
    struct snapshot_writer *writer = *writer_ptr;

    *writer_ptr = NULL;
    if (writer == NULL)
        return;
    if (writer->fd >= 0) {
        close(writer->fd);
        unlink(writer->path); /* none is there any more where it was committed */
    }
    writer->cdb.cdb_fd = -1; /* nothing but cdb_make_finish() frees, and it shall not write */
    if (writer->is_making)
        cdb_make_finish(&writer->cdb);
    free(writer->entry);
    free(writer);
}

/* Reading */

static const unsigned char *entry_digits(const struct snapshot_entry *entry)
{
    const unsigned char *behind = (const unsigned char *)entry->value + entry->value_len;

    return entry->kind == SNAPSHOT_CLAIM ? behind + 1 : behind;
}

/* Looks at the digits first: the sum is not worth taking of bytes that are no entry at all. */
static bool is_sum_right(const unsigned char *start, const struct snapshot_entry *entry)
{
    const unsigned char *digits = entry_digits(entry);
    char right[SUM_TEXT_LEN + 1];

    for (size_t n = 0; n < SUM_TEXT_LEN; n++)
        if (memchr("0123456789abcdef", digits[n], 16) == NULL)
            return false;
    sum_print(sum_of(start, LENGTHS_SIZE + entry->key_len + entry->value_len), right);
    return memcmp(digits, right, SUM_TEXT_LEN) == 0;
}

/* Whether a good entry stands at reader->file.bytes + at. */
static bool entry_at(const struct snapshot_reader *reader, size_t at, struct snapshot_entry *entry,
                     size_t *len_r)
{
    const unsigned char *start = reader->file.bytes + at, *value;
    size_t left = reader->end - at, key_len, stored_len;

    if (left < LENGTHS_SIZE)
        return false;
    left -= LENGTHS_SIZE;
    key_len = cdb_unpack(start);
    stored_len = cdb_unpack(start + LENGTHS_SIZE / 2);
    if (stored_len < TAIL_LEN || stored_len > left || key_len > left - stored_len)
        return false;
    value = start + LENGTHS_SIZE + key_len;
    *entry = (struct snapshot_entry){.kind = value[stored_len - 1] == '\n' ? SNAPSHOT_MESSAGE
                                                                           : SNAPSHOT_CLAIM,
                                     .key = (const char *)start + LENGTHS_SIZE,
                                     .key_len = key_len,
                                     .value = (const char *)value,
                                     .value_len = stored_len - TAIL_LEN};
    *len_r = LENGTHS_SIZE + key_len + stored_len;
    if (entry->kind == SNAPSHOT_CLAIM && value[entry->value_len] != ' ')
        return false;
    return reader->is_whole || is_sum_right(start, entry);
}

/* The place behind the last entry, as the file says. */
static size_t entries_end(const struct folder_file *file)
{
    return cdb_unpack(file->bytes);
}

static bool is_file_whole(const struct folder_file *file)
{
    unsigned char head[HEAD_LEN + 1]; /* and a NUL */
    size_t end = entries_end(file);

    cdb_pack(HEAD_KEY_LEN, head);
    cdb_pack(HEAD_VALUE_LEN, head + LENGTHS_SIZE / 2);
    memcpy(head + LENGTHS_SIZE, head_key, HEAD_KEY_LEN);
    memcpy(head + LENGTHS_SIZE + HEAD_KEY_LEN, head_version, sizeof head_version - 1);
    print_file_sum(file->bytes, file->len, (char *)head + HEAD_LEN - SUM_TEXT_LEN);
    return end >= FIRST_AT && end <= file->len &&
           memcmp(file->bytes + CONTENTS_SIZE, head, HEAD_LEN) == 0;
}

bool snapshot_read(struct snapshot_reader *reader_r, const struct folder_file *file)
{
    *reader_r = (struct snapshot_reader){.file = *file};
    if (file->len < FIRST_AT)
        return false;
    reader_r->is_whole = is_file_whole(file);
    reader_r->at = FIRST_AT;
    reader_r->end = reader_r->is_whole ? entries_end(file) : file->len;
    return true;
}

bool snapshot_next(struct snapshot_reader *reader, struct snapshot_entry *entry_r)
{
    struct snapshot_entry entry;
    size_t at, len;

    for (at = reader->at; at < reader->end; at++) {
        if (entry_at(reader, at, &entry, &len)) {
            reader->damaged += at > reader->at;
            reader->at = at + len;
            *entry_r = entry;
            return true;
        }
        reader->is_whole = false; /* from here on only sums are believed */
    }
    /* cdb's index, behind the entries, is not made of entries. */
    reader->damaged += at > reader->at && reader->at != entries_end(&reader->file);
    reader->at = reader->end;
    return false;
}

bool snapshot_find_message(const struct folder_file *file, const char *queue_id,
                           const char **text_r, size_t *text_len_r)
{
    struct snapshot_reader reader;
    struct snapshot_entry entry;
    size_t queue_id_len = strlen(queue_id);

    if (!snapshot_read(&reader, file))
        return false;
    while (snapshot_next(&reader, &entry)) {
        if (entry.kind == SNAPSHOT_MESSAGE && entry.key_len == queue_id_len &&
            memcmp(entry.key, queue_id, queue_id_len) == 0) {
            *text_r = entry.value;
            *text_len_r = entry.value_len;
            return true;
        }
    }
    return false;
}
