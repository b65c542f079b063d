/* queue_file - what the head of a Postfix queue file says about its message */
#include "monitor/queue_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Returns false at the end of the envelope, as far as it can be followed. */
static bool take_record(const struct record *record, struct reading *reading)
{
    struct cursor cursor = content_of(record);

    switch (record->type) {
    case 'C':
        take_size(record, reading);
        return true;
    case 'T':
        take_time(record, reading);
        return true;
    case 'S':
        reading->has_sender = true;
        return true;
    case '/':
        reading->taken_away++;
        return true;
    case 'p': /* to records behind the message: a milter has changed the sender or recipients */
        return take_number(&cursor) == 0;
    case 'M':
        return false;
    default:
        return true;
    }
}

bool queue_file_parse(const char *head, size_t head_len, struct queue_file *file_r)
{
    struct cursor cursor = {.at = head, .end = head + head_len};
    struct reading reading = {.taken_away = 0};
    struct record record;

    while (next_record(&cursor, &record) && take_record(&record, &reading)) {
    }
    if (reading.file.has_size ? reading.is_preliminary : !reading.has_sender)
        return false;
    if (reading.file.recipients >= reading.taken_away)
        reading.file.recipients -= reading.taken_away;
    *file_r = reading.file;
    return true;
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
    int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    char head[QUEUE_FILE_HEAD_SIZE];
    struct queue_file file;
    int result = -1;
    ssize_t len;
    int error;

    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    len = pread(fd, head, sizeof head, 0);
    if (len >= 0) {
        result = queue_file_parse(head, (size_t)len, &file) ? 1 : 0;
        if (result == 1 && (!file.has_size || file.arrival_ms == 0) && !take_from_status(fd, &file))
            result = -1;
        if (result == 1)
            *file_r = file;
    }
    error = errno;
    close(fd);
    errno = error;
    return result;
}
