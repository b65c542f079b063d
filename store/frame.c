/* frame - records one after another in a file, so that whole ones are known from torn ones */
#include "store/frame.h"

#include <stdint.h>
#include <string.h>

#include "store/sum.h"

enum { MAGIC_LEN = 4, SUM_AT = 4, LENGTH_AT = 12 };

static const unsigned char magic[MAGIC_LEN] = {'P', 'E', 'G', 'J'};

static void put_number(unsigned char *at, size_t size, uint64_t number)
{
    for (size_t n = 0; n < size; n++)
        at[n] = (unsigned char)(number >> 8 * n);
}

static uint64_t get_number(const unsigned char *at, size_t size)
{
    uint64_t number = 0;

    for (size_t n = size; n > 0; n--)
        number = number << 8 | at[n - 1];
    return number;
}

static uint64_t sum_behind(const unsigned char *header, size_t payload_len)
{
    return sum_of(header + LENGTH_AT, FRAME_HEADER_SIZE - LENGTH_AT + payload_len);
}

void frame_seal(unsigned char *header, size_t payload_len)
{
    memcpy(header, magic, MAGIC_LEN);
    put_number(header + LENGTH_AT, FRAME_HEADER_SIZE - LENGTH_AT, payload_len);
    put_number(header + SUM_AT, LENGTH_AT - SUM_AT, sum_behind(header, payload_len));
}

/* Whether a frame's header stands there, and so how long its payload is said to be. */
static bool read_header(const unsigned char *at, size_t left, size_t *payload_len_r)
{
    if (left < FRAME_HEADER_SIZE || memcmp(at, magic, MAGIC_LEN) != 0)
        return false;
    *payload_len_r = (size_t)get_number(at + LENGTH_AT, FRAME_HEADER_SIZE - LENGTH_AT);
    return *payload_len_r <= FRAME_PAYLOAD_MAX;
}

static bool is_whole(const unsigned char *at, size_t left, size_t *payload_len_r)
{
    return read_header(at, left, payload_len_r) && *payload_len_r <= left - FRAME_HEADER_SIZE &&
           get_number(at + SUM_AT, LENGTH_AT - SUM_AT) == sum_behind(at, *payload_len_r);
}

/* Where the next frame may begin, behind at; the end where none does. */
static size_t next_magic(const struct frame_reader *reader, size_t at)
{
    const unsigned char *found = NULL;

    if (at < reader->len)
        found = memmem(reader->bytes + at + 1, reader->len - at - 1, magic, MAGIC_LEN);
    return found != NULL ? (size_t)(found - reader->bytes) : reader->len;
}

/* Whether a frame may begin there, of which left bytes can be seen, or the file ends. */
static bool may_begin(const unsigned char *at, size_t left)
{
    return memcmp(at, magic, left < MAGIC_LEN ? left : MAGIC_LEN) == 0;
}

/*
 * Whether a frame begins there whose end is missing: there is less than its header says, as far as
 * that can be seen. written is the number of bytes up to the end of the file, without the zero
 * bytes there: these a filesystem may have made of blocks that were never written, and no text has
 * any.
 *
 * Where the length itself was damaged and has become larger than what is left, there is no telling
 * that from a frame that was cut short.
 */
static bool is_cut_short(const unsigned char *at, size_t written)
{
    size_t payload_len;

    if (written < FRAME_HEADER_SIZE)
        return may_begin(at, written);
    return read_header(at, written, &payload_len) && payload_len > written - FRAME_HEADER_SIZE;
}

/* Where to look behind a damaged frame: at its end, if its length seems to be right. */
static size_t next_candidate(const struct frame_reader *reader, size_t at, size_t end)
{
    size_t payload_len, next;

    if (read_header(reader->bytes + at, end - at, &payload_len)) {
        next = at + FRAME_HEADER_SIZE + payload_len;
        if (next <= end && may_begin(reader->bytes + next, end - next))
            return next;
    }
    return next_magic(reader, at);
}

/* No whole frame is left: say what is there instead. */
static void judge_rest(struct frame_reader *reader)
{
    size_t end = reader->len;
    size_t at = reader->at;

    while (end > at && reader->bytes[end - 1] == 0)
        end--;
    while (at < reader->len && !is_cut_short(reader->bytes + at, end - at))
        at = next_candidate(reader, at, end);
    reader->torn = at < reader->len;
    reader->damaged += at - reader->at;
    reader->at = reader->len;
}

/*
 * What looks like a header within a payload costs nothing: text has no byte below a newline, and
 * with one in its place the length is out of bounds.
 */
bool frame_next(struct frame_reader *reader, const unsigned char **payload_r, size_t *payload_len_r)
{
    for (size_t at = reader->at; at < reader->len; at = next_magic(reader, at)) {
        if (!is_whole(reader->bytes + at, reader->len - at, payload_len_r))
            continue;
        *payload_r = reader->bytes + at + FRAME_HEADER_SIZE;
        reader->damaged += at - reader->at;
        reader->at = at + FRAME_HEADER_SIZE + *payload_len_r;
        return true;
    }
    if (reader->at < reader->len)
        judge_rest(reader);
    return false;
}
