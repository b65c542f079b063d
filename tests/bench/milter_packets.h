/*
 * milter_packets - what Postfix tells a milter of one message, step by step (libmilter/mfdef.h)
 *
 * Each recipient always has the same priority, by X-Priority, so there are no conflicts.
 */
#ifndef PEG_MILTER_PACKETS_H
#define PEG_MILTER_PACKETS_H

#include <arpa/inet.h>
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
#include <stdbool.h>

#include "tests/bench/bench.h"

enum {
    PACKETS_RECIPIENTS = 10000, /* that get mail again and again */
    PACKETS_SIZE = 16384,
    PACKETS_BODY = 3400, /* so that a message has 4 kB */
    PACKETS_ACTIONS =
        SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_ADDRCPT_PAR | SMFIF_DELRCPT | SMFIF_SETSYMLIST,
    PACKETS_NOT_SENT = SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NOMAIL | SMFIP_NORCPT | SMFIP_NODATA |
                       SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NOBODY | SMFIP_NOUNKNOWN,
    PACKETS_NOT_ANSWERED = SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT |
                           SMFIP_NR_DATA | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY |
                           SMFIP_NR_UNKN,
    PACKETS_STEPS = PACKETS_NOT_SENT | PACKETS_NOT_ANSWERED | SMFIP_SKIP /* offered */
};

/* Packets to be sent in one write. */
struct packets {
    char bytes[PACKETS_SIZE];
    size_t len;
};

static inline void packets_put(struct packets *out, const void *bytes, size_t len)
{
    if (len > sizeof out->bytes - out->len)
        give_up("a message is too long");
    memcpy(out->bytes + out->len, bytes, len);
    out->len += len;
}

static inline void packets_put_number(struct packets *out, uint32_t number)
{
    number = htonl(number);
    packets_put(out, &number, sizeof number);
}

/* A command with strings, of which NULL is the last; macros have the command's letter first. */
static inline void packets_put_command(struct packets *out, char command,
                                       const char *const *strings)
{
    size_t start = out->len;
    uint32_t len;

    packets_put_number(out, 0);
    packets_put(out, &command, 1);
    for (; *strings != NULL; strings++)
        packets_put(out, *strings, strlen(*strings) + 1);
    len = htonl((uint32_t)(out->len - start - sizeof len));
    memcpy(out->bytes + start, &len, sizeof len);
}

#define PACKETS_PUT(out, command, ...) \
    packets_put_command(out, command, (const char *const[]){__VA_ARGS__, NULL})

static inline void packets_put_macro(struct packets *out, char command, const char *name,
                                     const char *value)
{
    char first[32];

    snprintf(first, sizeof first, "%c%s", command, name); /* the letter, and the first string */
    PACKETS_PUT(out, SMFIC_MACRO, first, value);
}

static inline void packets_put_negotiation(struct packets *out)
{
    packets_put_number(out, 13);
    packets_put(out, "O", 1);
    packets_put_number(out, 6);
    packets_put_number(out, PACKETS_ACTIONS);
    packets_put_number(out, PACKETS_STEPS);
}

/* A command without arguments. */
static inline void packets_put_bare(struct packets *out, char command)
{
    packets_put_command(out, command, (const char *const[]){NULL});
}

/* The steps of a session and its first message, in order; further messages begin with MAIL. */
struct packets_step {
    char command;
    uint32_t not_sent;     /* SMFIP_*: it is left out */
    uint32_t not_answered; /* SMFIP_NR_*: nobody waits for its answer */
    const char *header;    /* of SMFIC_HEADER: its name */
};

enum {
    PACKETS_FIRST = 2,  /* the step that a message begins with */
    PACKETS_COUNT = 17, /* steps; the last one is always answered */
};

static const struct packets_step packets_steps[PACKETS_COUNT] = {
    {SMFIC_CONNECT, SMFIP_NOCONNECT, SMFIP_NR_CONN, NULL},
    {SMFIC_HELO, SMFIP_NOHELO, SMFIP_NR_HELO, NULL},
    {SMFIC_MAIL, SMFIP_NOMAIL, SMFIP_NR_MAIL, NULL},
    {SMFIC_RCPT, SMFIP_NORCPT, SMFIP_NR_RCPT, NULL},
    {SMFIC_DATA, SMFIP_NODATA, SMFIP_NR_DATA, NULL},
    {SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, "Received"},
    {SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, "From"},
    {SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, "To"},
    {SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, "Subject"},
    {SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, "Date"},
    {SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, "Message-ID"},
    {SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, "X-Priority"},
    {SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, "MIME-Version"},
    {SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, "Content-Type"},
    {SMFIC_EOH, SMFIP_NOEOH, SMFIP_NR_EOH, NULL},
    {SMFIC_BODY, SMFIP_NOBODY, SMFIP_NR_BODY, NULL},
    {SMFIC_BODYEOB, 0, 0, NULL},
};

static inline void packets_put_header(struct packets *out, const char *name, unsigned message,
                                      const char *recipient)
{
    static const char *const x_priority[] = {"5", "4", "3", "2", "1"};
    char value[256];

    switch (*name) {
    case 'R':
        snprintf(value, sizeof value,
                 "from client.example (client.example [192.0.2.1])\n"
                 "\tby mail.gateway.example (Postfix) with ESMTP id %010X",
                 message);
        break;
    case 'T':
        snprintf(value, sizeof value, "<%s>", recipient);
        break;
    case 'X':
        snprintf(value, sizeof value, "%s",
                 x_priority[priority_of_key(message % PACKETS_RECIPIENTS)]);
        break;
    default:
        snprintf(value, sizeof value, "%s of message %010X <alice@source.example>", name, message);
    }
    PACKETS_PUT(out, SMFIC_HEADER, name, value);
}

static inline void packets_put_body(struct packets *out)
{
    static const char line[] = "The quick brown fox jumps over the lazy dog, and so on and on.\r\n";

    packets_put_number(out, PACKETS_BODY + 1);
    packets_put(out, "B", 1);
    for (size_t left = PACKETS_BODY; left > 0;) {
        size_t len = left < sizeof line - 1 ? left : sizeof line - 1;

        packets_put(out, line, len);
        left -= len;
    }
}

/* What a step of a message takes. */
static inline void packets_put_step(struct packets *out, const struct packets_step *step,
                                    unsigned message)
{
    char key[KEY_SIZE], path[KEY_SIZE + 2], queue_id[16];

    make_key(key, message % PACKETS_RECIPIENTS);
    snprintf(path, sizeof path, "<%s>", key);
    snprintf(queue_id, sizeof queue_id, "%010X", message);
    switch (step->command) {
    case SMFIC_CONNECT: /* a host's name, a family, a port, an address */
        PACKETS_PUT(out, SMFIC_CONNECT, "client.example",
                    "4\x13\x88"
                    "192.0.2.1");
        break;
    case SMFIC_HELO:
        PACKETS_PUT(out, SMFIC_HELO, "client.example");
        break;
    case SMFIC_MAIL:
        packets_put_macro(out, SMFIC_MAIL, "{mail_addr}", "alice@source.example");
        PACKETS_PUT(out, SMFIC_MAIL, "<alice@source.example>", "SIZE=4096");
        break;
    case SMFIC_RCPT:
        packets_put_macro(out, SMFIC_RCPT, "{rcpt_addr}", key);
        PACKETS_PUT(out, SMFIC_RCPT, path);
        break;
    case SMFIC_HEADER:
        packets_put_header(out, step->header, message, key);
        break;
    case SMFIC_BODY:
        packets_put_body(out);
        break;
    case SMFIC_BODYEOB:
        packets_put_macro(out, SMFIC_BODYEOB, "i", queue_id);
        packets_put_bare(out, SMFIC_BODYEOB);
        break;
    default:
        packets_put_bare(out, step->command);
    }
}

#endif
