/*
 * frame - records one after another in a file, so that whole ones are known from torn ones
 *
 * A frame: 4 bytes `PEGJ`; the sum (store/sum.h) of all that follows, 8 bytes; the length of the
 * payload, 4 bytes; the payload. Numbers have their lowest byte first.
 *
 * Pure; thread-safe.
 */
#ifndef PEG_FRAME_H
#define PEG_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"

enum { FRAME_HEADER_SIZE = 16, FRAME_PAYLOAD_MAX = 64 * 1024 * 1024 };

/* Write the header of a payload of payload_len bytes, at most FRAME_PAYLOAD_MAX, which stands right
 * behind the header's place. */
void frame_seal(unsigned char *header, size_t payload_len);

struct frame_reader {
    const unsigned char *bytes;
    size_t len;
    size_t at;      /* the next frame is looked for here */
    size_t damaged; /* bytes skipped so far that belong to no whole frame and are not torn */
    bool torn; /* what is left at the end looks like a write cut short: less than the frame says is
                  there, or nothing but zero bytes */
};

/*
 * The next whole frame: true with its payload (part of bytes). Bytes that are none are skipped up
 * to the next whole frame. false at the end; then damaged and torn say what was not whole.
 */
bool frame_next(struct frame_reader *reader, const unsigned char **payload_r,
                size_t *payload_len_r) PEG_MUST_USE;

#endif
