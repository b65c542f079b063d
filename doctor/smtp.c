/* smtp - the client's side of the little SMTP that peg-gen doctor speaks (RFC 5321) */
#include "doctor/smtp.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

bool smtp_reply(struct talk *talk, const char *code, char reply_r[TALK_LINE_SIZE])
{
    do {
        if (!talk_line(talk, reply_r))
            return false;
    } while (strlen(reply_r) > 3 && reply_r[3] == '-');
    if (strncmp(reply_r, code, strlen(code)) == 0)
        return true;
    snprintf(talk->why, sizeof talk->why, "it says: %.200s", reply_r);
    return false;
}

static bool command(struct talk *talk, const char *line, const char *code)
{
    char reply[TALK_LINE_SIZE];

    return talk_send(talk, line, strlen(line)) && smtp_reply(talk, code, reply);
}

bool smtp_greet(struct talk *talk)
{
    char reply[TALK_LINE_SIZE];

    return smtp_reply(talk, "220", reply) && command(talk, "EHLO localhost\r\n", "250");
}

/* "250 2.0.0 Ok: queued as 4XyZ0" */
static void find_id(const char *reply, char id_r[SMTP_ID_SIZE])
{
    static const char before[] = "queued as ";
    const char *id = strstr(reply, before);
    size_t len = 0;

    if (id != NULL)
        for (id += strlen(before); len + 1 < SMTP_ID_SIZE && isalnum((unsigned char)id[len]); len++)
            id_r[len] = id[len];
    id_r[len] = '\0';
}

/* The content with its dots doubled (RFC 5321 4.5.2), and the end. */
static bool send_content(struct talk *talk, const char *content)
{
    while (*content != '\0') {
        const char *end = strstr(content, "\r\n");
        size_t len = end != NULL ? (size_t)(end - content) + 2 : strlen(content);

        if ((*content == '.' && !talk_send(talk, ".", 1)) || !talk_send(talk, content, len))
            return false;
        content += len;
    }
    return talk_send(talk, ".\r\n", 3);
}

bool smtp_send(struct talk *talk, const char *recipient, const char *content,
               char id_r[SMTP_ID_SIZE])
{
    char line[TALK_LINE_SIZE];

    snprintf(line, sizeof line, "RCPT TO:<%s>\r\n", recipient);
    if (!command(talk, "MAIL FROM:<>\r\n", "250") || !command(talk, line, "250") ||
        !command(talk, "DATA\r\n", "354") || !send_content(talk, content) ||
        !smtp_reply(talk, "250", line))
        return false;
    find_id(line, id_r);
    return true;
}

void smtp_quit(struct talk *talk)
{
    static const char quit[] = "QUIT\r\n";

    if (talk->fd >= 0 && talk_send(talk, quit, strlen(quit)))
        talk_close(talk);
    talk_close(talk);
}
