/*
 * talk - a few bytes with a server, within a time limit for the whole conversation
 *
 * Functions that return bool say why it did not work in why, a text of TALK_WHY_SIZE.
 */
#ifndef PEG_DOCTOR_TALK_H
#define PEG_DOCTOR_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"

enum { TALK_WHY_SIZE = 256, TALK_LINE_SIZE = 1024 };

struct talk {
    int fd;              /* -1: not connected */
    int64_t deadline_ms; /* clock_boot_ms() */
    char buffer[TALK_LINE_SIZE];
    size_t len;
    char why[TALK_WHY_SIZE];
};

/* Connect; the conversation has to be over within limit_ms. host is an address or a name. */
bool talk_inet(struct talk *talk, const char *host, int port, long limit_ms) PEG_MUST_USE;

/* The same with a unix socket. */
bool talk_unix(struct talk *talk, const char *path, long limit_ms) PEG_MUST_USE;

/* Close what is open; may be called twice. */
void talk_close(struct talk *talk);

bool talk_send(struct talk *talk, const void *bytes, size_t len) PEG_MUST_USE;

/* Read exactly so many bytes. */
bool talk_read(struct talk *talk, void *bytes_r, size_t len) PEG_MUST_USE;

/* Read a line, without its end, LF or CRLF. One that is too long is an error. */
bool talk_line(struct talk *talk, char line_r[TALK_LINE_SIZE]) PEG_MUST_USE;

#endif
