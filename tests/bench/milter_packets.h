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

/* Packets that are sent together. */
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

/* A command, which has another behind it where it is of macros; and strings up to NULL. */
static inline void packets_put_command(struct packets *out, const char *commands, size_t count,
                                       const char *const *strings)
{
    size_t start = out->len;
    uint32_t len;

    packets_put_number(out, 0);
    packets_put(out, commands, count);
    for (; *strings != NULL; strings++)
        packets_put(out, *strings, strlen(*strings) + 1);
    len = htonl((uint32_t)(out->len - start - sizeof len));
    memcpy(out->bytes + start, &len, sizeof len);
}

#define PACKETS_PUT(out, command, ...) \
    packets_put_command(out, (const char[]){command}, 1, (const char *const[]){__VA_ARGS__, NULL})

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
    packets_put_command(out, &command, 1, (const char *const[]){NULL});
}

/* The steps of a session and its first message, in order; further messages begin with MAIL. */
struct packets_step {
    char command;
    uint32_t not_sent;     /* SMFIP_*: it is left out */
    uint32_t not_answered; /* SMFIP_NR_*: nobody waits for its answer */
    bool is_content;       /* its macros are left out with it */
    const char *header;    /* of SMFIC_HEADER: its name */
};

enum {
    PACKETS_FIRST = 2,  /* the step that a message begins with */
    PACKETS_COUNT = 17, /* steps; the last one is always answered */
};

static const struct packets_step packets_steps[PACKETS_COUNT] = {
    {SMFIC_CONNECT, SMFIP_NOCONNECT, SMFIP_NR_CONN, false, NULL},
    {SMFIC_HELO, SMFIP_NOHELO, SMFIP_NR_HELO, false, NULL},
    {SMFIC_MAIL, SMFIP_NOMAIL, SMFIP_NR_MAIL, false, NULL},
    {SMFIC_RCPT, SMFIP_NORCPT, SMFIP_NR_RCPT, false, NULL},
    {SMFIC_DATA, SMFIP_NODATA, SMFIP_NR_DATA, false, NULL},
    {SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, true, "Received"},
    {SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, true, "From"},
    {SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, true, "To"},
    {SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, true, "Subject"},
    {SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, true, "Date"},
    {SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, true, "Message-ID"},
    {SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, true, "X-Priority"},
    {SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, true, "MIME-Version"},
    {SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, true, "Content-Type"},
    {SMFIC_EOH, SMFIP_NOEOH, SMFIP_NR_EOH, true, NULL},
    {SMFIC_BODY, SMFIP_NOBODY, SMFIP_NR_BODY, true, NULL},
    {SMFIC_BODYEOB, 0, 0, true, NULL},
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

/*
 * The macros of a step: a packet goes out even where none has a value. A milter without lists of
 * its own gets those that Postfix's main.cf has by default, as far as they have a value.
 */
static inline void packets_put_macros(struct packets *out, char command, bool has_lists,
                                      const char *recipient, const char *queue_id)
{
    const char *const of_client[] = {"j",
                                     "mail.gateway.example",
                                     "{daemon_name}",
                                     "mail.gateway.example",
                                     "{daemon_addr}",
                                     "192.0.2.25",
                                     "v",
                                     "Postfix 3.7.11",
                                     "_",
                                     "client.example [192.0.2.1]",
                                     NULL};
    const char *const of_sender[] = {"{mail_addr}",
                                     "alice@source.example",
                                     "{mail_host}",
                                     "source.example",
                                     "{mail_mailer}",
                                     "relay",
                                     NULL};
    const char *const of_recipient[] = {
        "{rcpt_addr}", recipient, has_lists ? NULL : "{rcpt_host}", "dest.example", "{rcpt_mailer}",
        "relay",       NULL};
    const char *const of_message[] = {"i", queue_id, NULL};
    const char *const none[] = {NULL}, *const *macros = has_lists ? none : of_message;
    const char prefix[] = {SMFIC_MACRO, command};

    if (command == SMFIC_BODYEOB)
        macros = of_message;
    else if (command == SMFIC_RCPT)
        macros = of_recipient;
    else if (command == SMFIC_HELO)
        macros = none;
    else if (command == SMFIC_CONNECT && !has_lists)
        macros = of_client;
    else if (command == SMFIC_MAIL && !has_lists)
        macros = of_sender;
    packets_put_command(out, prefix, sizeof prefix, macros);
}

/* What goes out for a step of a message to a milter that agreed to SMFIP_*. */
static inline void packets_put_step(struct packets *out, const struct packets_step *step,
                                    unsigned message, uint32_t agreed, bool has_lists)
{
    bool is_sent = (agreed & step->not_sent) == 0;
    char key[KEY_SIZE], path[KEY_SIZE + 2], queue_id[16];

    make_key(key, message % PACKETS_RECIPIENTS);
    snprintf(path, sizeof path, "<%s>", key);
    snprintf(queue_id, sizeof queue_id, "%010X", message);
    if (is_sent || !step->is_content)
        packets_put_macros(out, step->command, has_lists, key, queue_id);
    if (!is_sent)
        return;
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
        PACKETS_PUT(out, SMFIC_MAIL, "<alice@source.example>", "SIZE=4096");
        break;
    case SMFIC_RCPT:
        PACKETS_PUT(out, SMFIC_RCPT, path);
        break;
    case SMFIC_HEADER:
        packets_put_header(out, step->header, message, key);
        break;
    case SMFIC_BODY:
        packets_put_body(out);
        break;
    default:
        packets_put_bare(out, step->command);
    }
}

#endif
