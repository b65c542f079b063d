/* lmtp - the server's side of one LMTP session (RFC 2033), for one recipient a message */
#include "doctor/lmtp.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "admin/mem.h"

static void reply(struct lmtp *lmtp, const char *text)
{
    size_t len = strlen(text);

    if (lmtp->replies_len + len > sizeof lmtp->replies) {
        lmtp->over = true;
        return;
    }
    memcpy(lmtp->replies + lmtp->replies_len, text, len);
    lmtp->replies_len += len;
}

void lmtp_init(struct lmtp *lmtp, const struct lmtp_owner *owner)
{
    *lmtp = (struct lmtp){.owner = owner};
    reply(lmtp, "220 peg-gen doctor\r\n");
}

void lmtp_deinit(struct lmtp *lmtp)
{
    free(lmtp->message);
    lmtp->message = NULL;
}

static void forget_message(struct lmtp *lmtp)
{
    lmtp->in_message = false;
    lmtp->recipient[0] = '\0';
    lmtp->message_len = 0;
}

/* Whether a line is this command; *argument_r is what follows it. */
static bool is_command(const char *line, const char *command, const char **argument_r)
{
    size_t len = strlen(command);

    if (strncasecmp(line, command, len) != 0)
        return false;
    *argument_r = line + len;
    return true;
}

static void take_recipient(struct lmtp *lmtp, const char *argument)
{
    const char *from = strchr(argument, '<');
    const char *to = from != NULL ? strrchr(from, '>') : NULL;
    size_t len = to != NULL ? (size_t)(to - from) - 1 : 0;

    if (to == NULL || len >= sizeof lmtp->recipient) {
        reply(lmtp, "501 5.5.4 no address\r\n");
        return;
    }
    if (lmtp->recipient[0] != '\0') {
        reply(lmtp, "452 4.5.3 one recipient a message\r\n");
        return;
    }
    memcpy(lmtp->recipient, from + 1, len);
    lmtp->recipient[len] = '\0';
    if (lmtp->owner->wants(lmtp->owner->arg, lmtp->recipient)) {
        reply(lmtp, "250 2.1.5 Ok\r\n");
        return;
    }
    lmtp->recipient[0] = '\0';
    reply(lmtp, "550 5.1.1 nobody waits for this probe\r\n");
}

static void take_command(struct lmtp *lmtp, const char *line)
{
    const char *argument;

    if (is_command(line, "LHLO ", &argument)) {
        size_t len = strcspn(argument, " ");

        len = len < sizeof lmtp->client ? len : sizeof lmtp->client - 1;
        memcpy(lmtp->client, argument, len);
        lmtp->client[len] = '\0';
        reply(lmtp, "250-localhost\r\n250-PIPELINING\r\n250 8BITMIME\r\n");
    } else if (is_command(line, "MAIL FROM:", &argument)) {
        forget_message(lmtp);
        reply(lmtp, "250 2.1.0 Ok\r\n");
    } else if (is_command(line, "RCPT TO:", &argument)) {
        take_recipient(lmtp, argument);
    } else if (is_command(line, "DATA", &argument) && lmtp->recipient[0] != '\0') {
        lmtp->in_message = true;
        reply(lmtp, "354 go on\r\n");
    } else if (is_command(line, "RSET", &argument)) {
        forget_message(lmtp);
        reply(lmtp, "250 2.0.0 Ok\r\n");
    } else if (is_command(line, "NOOP", &argument)) {
        reply(lmtp, "250 2.0.0 Ok\r\n");
    } else if (is_command(line, "QUIT", &argument)) {
        reply(lmtp, "221 2.0.0 bye\r\n");
        lmtp->over = true;
    } else {
        reply(lmtp, "503 5.5.1 not now\r\n");
    }
}

static void end_message(struct lmtp *lmtp)
{
    if (lmtp->message_len > LMTP_MESSAGE_MAX) {
        reply(lmtp, "552 5.3.4 too large for a probe\r\n");
    } else {
        lmtp->owner->deliver(lmtp->owner->arg, lmtp->client, lmtp->recipient, lmtp->message,
                             lmtp->message_len);
        reply(lmtp, "250 2.0.0 arrived\r\n");
    }
    forget_message(lmtp);
}

/* Of a message that is too long one byte too many is kept, which tells. */
static void add_to_message(struct lmtp *lmtp, const char *bytes, size_t len)
{
    size_t room = LMTP_MESSAGE_MAX + 1 - lmtp->message_len;

    if (lmtp->message == NULL)
        lmtp->message = mem_resize(NULL, LMTP_MESSAGE_MAX + 1, 1);
    len = len < room ? len : room;
    memcpy(lmtp->message + lmtp->message_len, bytes, len);
    lmtp->message_len += len;
}

/* A line of len bytes, its end included, and a NUL behind them. */
static void take_line(struct lmtp *lmtp, char *line, size_t len)
{
    if (!lmtp->in_message) {
        line[strcspn(line, "\r\n")] = '\0';
        if (lmtp->line_too_long)
            reply(lmtp, "500 5.5.2 line too long\r\n");
        else
            take_command(lmtp, line);
    } else if (!lmtp->line_too_long && (strcmp(line, ".\r\n") == 0 || strcmp(line, ".\n") == 0)) {
        end_message(lmtp);
    } else if (line[0] == '.' && !lmtp->line_too_long) {
        add_to_message(lmtp, line + 1, len - 1);
    } else {
        add_to_message(lmtp, line, len);
    }
}

void lmtp_take(struct lmtp *lmtp, const char *bytes, size_t len)
{
    for (size_t n = 0; n < len && !lmtp->over; n++) {
        bool ends = bytes[n] == '\n';

        lmtp->line[lmtp->line_len++] = bytes[n];
        if (!ends && lmtp->line_len + 1 < sizeof lmtp->line)
            continue;
        lmtp->line[lmtp->line_len] = '\0';
        if (lmtp->in_message || ends)
            take_line(lmtp, lmtp->line, lmtp->line_len);
        lmtp->line_len = 0;
        lmtp->line_too_long = !ends;
    }
}
