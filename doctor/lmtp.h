/*
 * lmtp - the server's side of one LMTP session (RFC 2033), for one recipient a message
 *
 * Pure: bytes in, replies out. Lines may end in LF or CRLF; a message is kept with what it has.
 */
#ifndef PEG_DOCTOR_LMTP_H
#define PEG_DOCTOR_LMTP_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"

enum { LMTP_LINE_SIZE = 2048, LMTP_NAME_SIZE = 256, LMTP_MESSAGE_MAX = 64 * 1024 };

/* What the owner of a session is asked and told. */
struct lmtp_owner {
    void *arg;
    bool (*wants)(void *arg, const char *recipient);
    /* A message has come whole; all is borrowed. client: the name in LHLO. */
    void (*deliver)(void *arg, const char *client, const char *recipient, const char *message,
                    size_t len);
};

struct lmtp {
    const struct lmtp_owner *owner;
    bool in_message;
    bool over; /* the session is to be closed once the replies are sent */
    bool line_too_long;
    char client[LMTP_NAME_SIZE];
    char recipient[LMTP_NAME_SIZE];
    char line[LMTP_LINE_SIZE];
    size_t line_len;
    char *message;
    size_t message_len;
    char replies[4096]; /* to be sent, and taken out, by the caller */
    size_t replies_len;
};

/* Begin: the greeting stands in replies. owner is borrowed. */
void lmtp_init(struct lmtp *lmtp, const struct lmtp_owner *owner);
void lmtp_deinit(struct lmtp *lmtp);

/* Take in what the client has sent. Replies of more than fit end the session. */
void lmtp_take(struct lmtp *lmtp, const char *bytes, size_t len);

#endif
