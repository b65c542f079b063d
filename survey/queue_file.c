/* queue_file - what the head of a Postfix queue file says about its message */
#include "survey/queue_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECES_MAX = 8 }; /* of a file: its envelope ends in the first one, as a rule */
enum { LENGTH_BITS = 7, LENGTH_BITS_MAX = 32 }; /* Postfix src/global/record.c, rec_get_raw() */

#define NUMBER_MAX (INT64_MAX / 1000)
#define TIME_MAX_S INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

struct record {
    char type;
    const char *content;
    size_t len;
};

struct cursor {
    const char *at;
    const char *end;
};

/* Returns false where no whole record follows. */
static bool next_record(struct cursor *cursor, struct record *record_r)
{
    const char *at = cursor->at;
    uint64_t len = 0;
    unsigned char portion;

    if (at == cursor->end)
        return false;
    record_r->type = *at++;
    for (unsigned shift = 0;; shift += LENGTH_BITS) {
        if (at == cursor->end || shift >= LENGTH_BITS_MAX)
            return false;
        portion = (unsigned char)*at++;
        len |= (uint64_t)(portion & 0x7f) << shift;
        if ((portion & 0x80) == 0)
            break;
    }
    if (len > (uint64_t)(cursor->end - at))
        return false;
    record_r->content = at;
    record_r->len = (size_t)len;
    cursor->at = at + len;
    return true;
}

/* The number after blanks; 0 where there is none. One that is too large becomes NUMBER_MAX. */
static int64_t take_number(struct cursor *cursor)
{
    int64_t number = 0;

    while (cursor->at < cursor->end && *cursor->at == ' ')
        cursor->at++;
    for (; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'; cursor->at++)
        number = number > NUMBER_MAX / 10 ? NUMBER_MAX : number * 10 + (*cursor->at - '0');
    return number > NUMBER_MAX ? NUMBER_MAX : number;
}

static struct cursor content_of(const struct record *record)
{
    return (struct cursor){.at = record->content, .end = record->content + record->len};
}

/* What has been read so far. */
struct reading {
    struct queue_file file;
    bool is_preliminary; /* the size record is */
    bool has_sender;
    uint64_t taken_away;
};

/* The first that is well formed counts. */
static void take_size(const struct record *record, struct reading *reading)
{
    struct cursor cursor = content_of(record);

    for (const char *at = cursor.at; at < cursor.end; at++)
        if (*at != ' ' && (*at < '0' || *at > '9'))
            return;
    if (reading->file.has_size)
        return;
    reading->file.has_size = true;
    reading->file.octets = (uint64_t)take_number(&cursor);
    reading->is_preliminary = take_number(&cursor) == 0;
    reading->file.recipients = (uint64_t)take_number(&cursor);
}

static void take_time(const struct record *record, struct reading *reading)
{
    struct cursor cursor = content_of(record);
    int64_t seconds = take_number(&cursor);
    int64_t us = take_number(&cursor);

    if (reading->file.arrival_ms != 0 || reading->has_sender || seconds == 0)
        return;
    reading->file.arrival_ms =
        (seconds < TIME_MAX_S ? seconds : TIME_MAX_S) * 1000 + (us < 1000000 ? us / 1000 : 0);
}

enum { READ_ON = 0, READ_NO_MORE = -1 };

/* Returns where records are to be read next, where they are not those that follow. */
static int64_t take_record(const struct record *record, struct reading *reading)
{
    struct cursor cursor = content_of(record);

    switch (record->type) {
    case 'C':
        take_size(record, reading);
        return reading->is_preliminary ? READ_NO_MORE : READ_ON;
    case 'T':
        take_time(record, reading);
        return READ_ON;
    case 'S':
        reading->has_sender = true;
        return READ_ON;
    case '/':
        reading->taken_away++;
        return READ_ON;
    case 'p': /* to what a milter added, or 0: there is room for one */
        return take_number(&cursor);
    case 'M':
        return READ_NO_MORE;
    default:
        return READ_ON;
    }
}

/* A queue file, or bytes in memory that are its beginning. */
struct source {
    int fd; /* -1: the bytes */
    const char *bytes;
    size_t len;
};

/* Returns the number of bytes that there are from offset on, or -1 with errno. */
static ssize_t read_piece(const struct source *source, int64_t offset,
                          char piece_r[QUEUE_FILE_PIECE_SIZE])
{
    size_t len;

    if (source->fd >= 0)
        return pread(source->fd, piece_r, QUEUE_FILE_PIECE_SIZE, offset);
    len = (uint64_t)offset < source->len ? source->len - (size_t)offset : 0;
    if (len > QUEUE_FILE_PIECE_SIZE)
        len = QUEUE_FILE_PIECE_SIZE;
    if (len > 0)
        memcpy(piece_r, source->bytes + offset, len);
    return (ssize_t)len;
}

/* Take the records of a piece. Returns the offset of the next piece, or READ_NO_MORE. */
static int64_t take_piece(const char *piece, size_t len, int64_t offset, struct reading *reading)
{
    struct cursor cursor = {.at = piece, .end = piece + len};
    struct record record;
    int64_t next = READ_ON;

    while (next == READ_ON && next_record(&cursor, &record))
        next = take_record(&record, reading);
    if (next != READ_ON)
        return next;
    if (cursor.at == piece || len < QUEUE_FILE_PIECE_SIZE) /* one that is too long, or the end */
        return READ_NO_MORE;
    return offset + (cursor.at - piece);
}

/* Returns 1; 0 where it is none; -1 with errno. */
static int parse(const struct source *source, struct queue_file *file_r)
{
    char piece[QUEUE_FILE_PIECE_SIZE];
    struct reading reading = {.taken_away = 0};
    int64_t offset = 0;

    for (int n = 0; n < PIECES_MAX && offset != READ_NO_MORE; n++) {
        ssize_t len = read_piece(source, offset, piece);

        if (len < 0)
            return -1;
        offset = take_piece(piece, (size_t)len, offset, &reading);
    }
    if (reading.file.has_size ? reading.is_preliminary : !reading.has_sender)
        return 0;
    if (reading.file.recipients >= reading.taken_away)
        reading.file.recipients -= reading.taken_away;
    *file_r = reading.file;
    return 1;
}

bool queue_file_parse(const char *bytes, size_t len, struct queue_file *file_r)
{
    const struct source source = {.fd = -1, .bytes = bytes, .len = len};

    return parse(&source, file_r) == 1;
}

static bool take_from_status(int fd, struct queue_file *file)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return false;
    if (!file->has_size)
        file->octets = (uint64_t)status.st_size;
    if (file->arrival_ms == 0)
        file->arrival_ms = (int64_t)status.st_mtim.tv_sec * 1000;
    return true;
}

int queue_file_read(int dir_fd, const char *name, struct queue_file *file_r)
{
    const struct source source = {
        .fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
    struct queue_file file;
    int result, error;

    if (source.fd < 0)
        return errno == ENOENT ? 0 : -1;
    result = parse(&source, &file);
    if (result == 1 && (!file.has_size || file.arrival_ms == 0) &&
        !take_from_status(source.fd, &file))
        result = -1;
    if (result == 1)
        *file_r = file;
    error = errno;
    close(source.fd);
    errno = error;
    return result;
}
